import { useRef, useState, type CSSProperties, type ReactNode } from "react";

/**
 * Two panes with a line between them that can be dragged or moved with the arrow keys. `side` says which pane has the
 * width; the width is remembered under `name`.
 */
export function Split(props: {
  name: string;
  side: "left" | "right";
  initial: number;
  min: number;
  max: number;
  left: ReactNode;
  right: ReactNode;
}) {
  const { name, side, initial, min, max } = props;
  const key = `obp.split.${name}`;
  const [width, setWidth] = useState(() => Number(localStorage.getItem(key)) || initial);
  const drag = useRef<{ x: number; width: number } | null>(null);
  const resize = (to: number): void => {
    const next = Math.round(Math.min(max, Math.max(min, to)));
    setWidth(next);
    localStorage.setItem(key, `${next}`);
  };
  const sign = side === "left" ? 1 : -1;
  const style: CSSProperties = {
    gridTemplateColumns: side === "left" ? `${width}px 1px minmax(0, 1fr)` : `minmax(0, 1fr) 1px ${width}px`,
  };
  return (
    <div className={`split split-${name.replaceAll(" ", "-")}`} style={style}>
      <div className="pane">{props.left}</div>
      <div
        className="split-line"
        role="separator"
        aria-orientation="vertical"
        aria-label={`Width of ${name}`}
        aria-valuenow={width}
        aria-valuemin={min}
        aria-valuemax={max}
        tabIndex={0}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, width };
        }}
        onPointerMove={(event) => {
          if (drag.current !== null) resize(drag.current.width + sign * (event.clientX - drag.current.x));
        }}
        onPointerUp={() => {
          drag.current = null;
        }}
        onKeyDown={(event) => {
          const by = event.key === "ArrowLeft" ? -16 : event.key === "ArrowRight" ? 16 : 0;
          if (by === 0) return;
          event.stopPropagation();
          resize(width + sign * by);
        }}
      />
      <div className="pane">{props.right}</div>
    </div>
  );
}
