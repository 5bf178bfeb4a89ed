import { typeStyle } from "../typeStyle.ts";

/** A type's colour and shape. */
export function TypeMark({ index }: { index: number }) {
  const { color, shape } = typeStyle(index);
  return (
    <span className="type-mark" style={{ color }} aria-hidden="true">
      {shape}
    </span>
  );
}
