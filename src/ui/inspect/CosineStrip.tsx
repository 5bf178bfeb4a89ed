import { useEffect, useRef } from "react";
import type { ContrastiveCosines } from "../../worker/protocol.ts";
import { useView } from "../stores/viewStore.ts";
import { heatmapInk } from "./drawHeatmap.ts";

const ROW = 22;
const LABEL = 220;
const WIDTH = 640;
const AXIS = 20;

/** Each entity on an axis from −1 to 1: a triangle, and its neighbours as rings. The table below has the numbers. */
export function CosineStrip({ seen }: { seen: readonly ContrastiveCosines[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = useView((state) => state.dark);
  const rows = seen.flatMap(({ name, entities }) => entities.map((entity) => ({ name, entity })));
  const height = rows.length * ROW + AXIS;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context === null || context === undefined) return;
    const ink = heatmapInk();
    const ratio = devicePixelRatio;
    context.canvas.width = Math.round(WIDTH * ratio);
    context.canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, WIDTH, height);
    context.font = `11px ${ink.font}`;
    const xOf = (cosine: number): number => LABEL + 12 + ((cosine + 1) / 2) * (WIDTH - LABEL - 28);
    context.lineWidth = 1;
    for (const tick of [-1, -0.5, 0, 0.5, 1]) {
      context.strokeStyle = ink.line;
      context.beginPath();
      context.moveTo(xOf(tick), 0);
      context.lineTo(xOf(tick), height - AXIS);
      context.stroke();
      context.fillStyle = ink.soft;
      context.textAlign = "center";
      context.fillText(`${tick}`.replace("-", "−"), xOf(tick), height - 5);
    }
    seen
      .flatMap(({ name, entities }) => entities.map((entity) => ({ name, entity })))
      .forEach(({ name, entity }, index) => {
        const y = index * ROW + ROW / 2;
        context.fillStyle = ink.soft;
        context.textAlign = "left";
        context.fillText(`${entity.text.slice(0, 16)}  ${name.slice(0, 16)}`, 0, y + 4, LABEL);
        for (const side of [entity.left, entity.right]) {
          if (side === null) continue;
          context.strokeStyle = ink.text;
          context.lineWidth = 1.5;
          context.beginPath();
          context.arc(xOf(side.cosine), y, 4, 0, 2 * Math.PI);
          context.stroke();
        }
        const x = xOf(entity.cosine);
        context.fillStyle = ink.entity;
        context.beginPath();
        context.moveTo(x - 5, y - 5);
        context.lineTo(x + 5, y - 5);
        context.lineTo(x, y + 5);
        context.fill();
      });
  }, [seen, height, dark]);
  return (
    <figure className="cosine-strip">
      <canvas ref={canvas} style={{ width: WIDTH, height }} aria-hidden="true" />
      <figcaption className="faint">
        Cosine with the type: <span className="mark-entity">▼</span> entity, ○ the tokens beside it
      </figcaption>
    </figure>
  );
}
