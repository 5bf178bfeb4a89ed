// How a type looks: colour (colour-blind safe: after Okabe and Ito 2008, darkened or lightened for contrast on both
// themes), a shape, and an underline, so that types are told apart without colour too.

const SHAPES = ["●", "■", "▲", "◆", "★", "⬟", "✚", "▼"] as const;
const UNDERLINES = ["solid", "double", "dashed", "dotted", "wavy"] as const;

export interface TypeStyle {
  color: string;
  shape: string;
  underline: string;
}

export function typeStyle(index: number): TypeStyle {
  const at = Math.max(0, index);
  return {
    color: `var(--type-${at % SHAPES.length})`,
    shape: SHAPES[at % SHAPES.length] ?? "●",
    underline: UNDERLINES[at % UNDERLINES.length] ?? "solid",
  };
}
