import { useEffect, useRef, type KeyboardEvent, type PointerEvent } from "react";
import type { SpacePoint } from "../../worker/protocol.ts";
import { useInspect } from "../inspect/inspectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { drawPoints, drawScatter, nearestPoint, type PlaneScale } from "./drawScatter.ts";
import { inSight, insideLasso, panned, seen, WHOLE, zoomed } from "./planeView.ts";
import type { PointMarks } from "./pointMarks.ts";
import { select, useSelected, useSpace } from "./spaceStore.ts";

/** Pixels that the pointer may move in a click. */
const CLICK = 4;
const KEY_ZOOM = 1.5;
const KEY_PAN = 40;

/** A drag that goes on: where it began and last was, and the corners of a lasso. */
interface Drag {
  from: readonly [number, number];
  last: readonly [number, number];
  moved: boolean;
  lasso: [number, number][] | null;
  add: boolean;
}

/**
 * Entities of one state. Hover reads a point, a click opens its document, arrow keys go from point to point. The wheel
 * zooms and dragging moves all states alike; the lasso selects.
 */
export function Scatter(props: {
  title: string;
  points: readonly SpacePoint[];
  marks: PointMarks;
  positions: Float32Array;
  /** Of the whole plane. */
  whole: PlaneScale;
  document: string | null;
}) {
  const { title, points, marks, positions, whole, document } = props;
  const inHand = useInspect((state) => state.point);
  const dark = useView((state) => state.dark);
  const view = useSpace((state) => state.view);
  const tool = useSpace((state) => state.tool);
  const selected = useSelected(points);
  const span = useView(({ inspect }) => inspect.span);
  const type = useView(({ inspect }) => inspect.type);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<Drag | null>(null);
  const { side } = whole;
  const scale = seen(whole, view);

  const draw = useRef<() => void>(() => undefined);
  const layer = useRef<OffscreenCanvas | null>(null);
  useEffect(() => {
    layer.current = null;
  }, [points, marks, positions, whole, view, selected, dark]);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context === null || context === undefined) return;
    draw.current = () => {
      const ratio = devicePixelRatio;
      const pixels = Math.round(side * ratio);
      if (context.canvas.width !== pixels) {
        context.canvas.width = pixels;
        context.canvas.height = pixels;
      }
      const scene = { points, marks, positions, scale: seen(whole, view), selected, ratio };
      if (layer.current?.width !== pixels) {
        layer.current = new OffscreenCanvas(pixels, pixels);
        const own = layer.current.getContext("2d");
        if (own !== null) drawPoints(own, scene);
      }
      drawScatter(context, layer.current, { ...scene, inHand, document, span, type, lasso: drag.current?.lasso ?? [] });
    };
    const frame = requestAnimationFrame(() => draw.current());
    return () => cancelAnimationFrame(frame);
  }, [points, marks, positions, whole, view, side, inHand, selected, document, span, type, dark]);

  // React's own listener is passive: the page would scroll too.
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const turn = (event: WheelEvent): void => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const factor = Math.exp(-event.deltaY * lines * 0.002);
      useSpace.setState((state) => ({ view: zoomed(whole, state.view, factor, event.offsetX, event.offsetY) }));
    };
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [whole]);

  const placeIn = (event: PointerEvent<HTMLElement>): [number, number] => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const down = (event: PointerEvent<HTMLElement>): void => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const from = placeIn(event);
    const lasso = tool === "lasso" || event.shiftKey;
    const add = event.shiftKey || event.ctrlKey || event.metaKey;
    drag.current = { from, last: from, moved: false, lasso: lasso ? [from] : null, add };
  };
  const move = (event: PointerEvent<HTMLElement>): void => {
    const at = placeIn(event);
    const now = drag.current;
    if (now === null) {
      useInspect.setState({ point: nearestPoint(scale, positions, ...at) });
      return;
    }
    now.moved ||= Math.hypot(at[0] - now.from[0], at[1] - now.from[1]) > CLICK;
    if (!now.moved) return;
    if (now.lasso === null) {
      const [byX, byY] = [at[0] - now.last[0], at[1] - now.last[1]];
      useSpace.setState((state) => ({ view: panned(whole, state.view, byX, byY) }));
    } else {
      now.lasso.push(at);
      requestAnimationFrame(() => draw.current());
    }
    now.last = at;
  };
  const up = (event: PointerEvent<HTMLElement>): void => {
    const now = drag.current;
    drag.current = null;
    if (now === null) return;
    if (now.moved) {
      if (now.lasso !== null) select(points, insideLasso(scale, positions, now.lasso), now.add ? "add" : "instead");
    } else {
      const point = nearestPoint(scale, positions, ...placeIn(event));
      if (now.add && point !== null) select(points, [point], "toggle");
      else if (point !== null) openPoint(points[point]);
    }
    requestAnimationFrame(() => draw.current());
  };
  const press = (event: KeyboardEvent): void => {
    const command = event.ctrlKey || event.metaKey;
    const arrow = ARROWS[event.key];
    if (command && event.key === "a") {
      select(points, inSight(scale, positions), "instead");
    } else if (command || event.altKey) {
      return;
    } else if (arrow !== undefined && event.shiftKey) {
      const [x, y] = arrow;
      useSpace.setState({ view: panned(whole, view, -x * KEY_PAN, -y * KEY_PAN) });
    } else if (arrow !== undefined) {
      const step = arrow[0] + arrow[1];
      useInspect.setState({ point: inHand === null ? 0 : (inHand + step + points.length) % points.length });
    } else if (event.key === "+" || event.key === "=" || event.key === "-") {
      const factor = event.key === "-" ? 1 / KEY_ZOOM : KEY_ZOOM;
      useSpace.setState({ view: zoomed(whole, view, factor, side / 2, side / 2) });
    } else if (event.key === "0") {
      useSpace.setState({ view: WHOLE });
    } else if (event.key === " " && inHand !== null) {
      select(points, [inHand], "toggle");
    } else if (event.key === "Enter" && inHand !== null) {
      openPoint(points[inHand]);
    } else if (event.key === "Escape" && selected.size > 0) {
      select(points, [], "instead");
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
        className={view.zoom > 1 ? `${tool} zoomed` : tool}
        style={{ width: side, height: side }}
        tabIndex={0}
        role="application"
        aria-roledescription="scatter plot"
        aria-label={`${title}: ${points.length} entities. Arrow keys go from one to the next, Enter opens its document, Space selects it, plus and minus zoom, Control A selects all in sight.`}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={() => {
          drag.current = null;
          draw.current();
        }}
        onKeyDown={press}
      />
    </figure>
  );
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ...{ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] },
};

/** Entity and document are those in hand everywhere then; the plane stays on screen. */
export function openPoint(point: SpacePoint | undefined): void {
  if (point !== undefined) useView.getState().selectSpan(point.document, point);
}
