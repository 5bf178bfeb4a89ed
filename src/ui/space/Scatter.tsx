import { useEffect, useRef, type KeyboardEvent, type MouseEvent } from "react";
import type { SpacePoint } from "../../worker/protocol.ts";
import { useView } from "../stores/viewStore.ts";
import { drawScatter, nearestPoint, type PlaneScale } from "./drawScatter.ts";
import { useInspect } from "../inspect/inspectStore.ts";

/** Entities of one state. Hover reads a point, a click opens its document, arrow keys go from point to point. */
export function Scatter(props: {
  title: string;
  points: readonly SpacePoint[];
  types: readonly string[];
  positions: Float32Array;
  scale: PlaneScale;
  document: string | null;
}) {
  const { title, points, types, positions, scale, document } = props;
  const inHand = useInspect((state) => state.point);
  const dark = useView((state) => state.dark);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { side } = scale;

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context === null || context === undefined) return;
    const frame = requestAnimationFrame(() => {
      const ratio = devicePixelRatio;
      const pixels = Math.round(side * ratio);
      if (context.canvas.width !== pixels) {
        context.canvas.width = pixels;
        context.canvas.height = pixels;
      }
      drawScatter(context, { points, types, positions, scale, inHand, document, ratio });
    });
    return () => cancelAnimationFrame(frame);
  }, [points, types, positions, scale, side, inHand, document, dark]);

  const at = (event: MouseEvent<HTMLElement>): number | null => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return nearestPoint(scale, positions, event.clientX - left, event.clientY - top);
  };
  const press = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      const next = inHand === null ? 0 : (inHand + step + points.length) % points.length;
      useInspect.setState({ point: next });
    } else if (event.key === "Enter" && inHand !== null) {
      openPoint(points[inHand]);
    } else if (event.key === "Escape" && inHand !== null) {
      useInspect.setState({ point: null });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <figure className="scatter" style={{ width: side }}>
      <figcaption className="ellipsis">{title}</figcaption>
      <canvas
        ref={canvas}
        style={{ width: side, height: side }}
        tabIndex={0}
        role="application"
        aria-roledescription="scatter plot"
        aria-label={`${title}: ${points.length} entities. Arrow keys go from one to the next, Enter opens its document.`}
        onPointerMove={(event) => useInspect.setState({ point: at(event) })}
        onClick={(event) => {
          const point = at(event);
          if (point !== null) openPoint(points[point]);
        }}
        onKeyDown={press}
      />
    </figure>
  );
}

/** The document is the one in hand everywhere then; the plane stays on screen. */
export function openPoint(point: SpacePoint | undefined): void {
  if (point === undefined) return;
  useInspect.setState({ typeName: point.type });
  useView.getState().goTo("inspect", point.document);
}
