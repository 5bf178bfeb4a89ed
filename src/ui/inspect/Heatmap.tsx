import {
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useMemo,
  useRef,
  type KeyboardEvent,
  type MouseEvent,
} from "react";
import type { AttentionPaint, AttentionView } from "../../worker/protocol.ts";
import { useView } from "../stores/viewStore.ts";
import { drawHeatmap, heatmapInk, heatmapShape, LEFT, MOST_ZOOM, TOP } from "./drawHeatmap.ts";
import { chooseEntity, useEntityInHand } from "./entityInHand.ts";
import { useInspect, type Cell } from "./inspectStore.ts";
import { entityAt } from "./mapEntities.ts";

/** In the browser's timeline: a map's cells are on screen. */
const SHOWN_MARK = "obp: heatmap shown";

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  PageUp: [-10, 0],
  PageDown: [10, 0],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

/** One map: hover reads, a click locks, arrow keys move the cell in hand. Only what is in sight is drawn. */
export function Heatmap(props: {
  view: AttentionView;
  panel: AttentionPaint["panels"][number];
  title: string;
  width: number;
}) {
  const { view, panel, title, width } = props;
  const cell = useInspect((state) => state.cell);
  const entity = useEntityInHand(view);
  const readable = useInspect((state) => state.readable);
  const zoom = useInspect((state) => state.zoom);
  const dark = useView((state) => state.dark);
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [rows, columns] = [view.rows.length, view.columns.length];
  const shape = useMemo(
    () => heatmapShape(rows, columns, width, readable, zoom),
    [rows, columns, width, readable, zoom],
  );
  const [cells] = panel.images;
  // In one piece where it fits; else rows scroll under the column labels.
  const height = Math.min(shape.height, 460);
  const size = useMemo(() => ({ width: Math.min(width, shape.width), height }), [width, shape, height]);

  useEffect(() => {
    const [element, box] = [canvas.current, scroller.current];
    const context = element?.getContext("2d");
    if (element === null || box === null || context === null || context === undefined || cells === undefined) return;
    const ink = heatmapInk();
    let frame = 0;
    const draw = (): void => {
      const ratio = devicePixelRatio;
      const [wide, high] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
      if (element.width !== wide) element.width = wide;
      if (element.height !== high) element.height = high;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      const scroll = { x: box.scrollLeft, y: box.scrollTop };
      drawHeatmap(context, { view, shape, cells, cell, entity, scroll, size, ink });
    };
    const drawSoon = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(draw);
    };
    draw();
    box.addEventListener("scroll", drawSoon);
    return () => {
      cancelAnimationFrame(frame);
      box.removeEventListener("scroll", drawSoon);
    };
  }, [view, shape, cells, cell, entity, size, dark]);

  useEffect(() => {
    // The frame after the one that draws them begins when they are on screen.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        performance.clearMarks(SHOWN_MARK);
        performance.mark(SHOWN_MARK);
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [cells]);

  // What is zoomed stays under the pointer: where that is on the map, 0 to 1, and in the box.
  const held = useRef<{ column: number; row: number; x: number; y: number } | null>(null);
  const zoomBy = (factor: number, x: number, y: number): void => {
    const box = scroller.current;
    if (box === null) return;
    const column = (x - LEFT + box.scrollLeft) / (columns * shape.cellWidth);
    const row = (y - TOP + box.scrollTop) / (rows * shape.cellHeight);
    held.current = { column, row, x, y };
    useInspect.setState({ zoom: Math.max(1, Math.min(MOST_ZOOM, zoom * factor)) });
  };
  useLayoutEffect(() => {
    const [box, at] = [scroller.current, held.current];
    held.current = null;
    if (box === null || at === null) return;
    box.scrollLeft = at.column * columns * shape.cellWidth + LEFT - at.x;
    box.scrollTop = at.row * rows * shape.cellHeight + TOP - at.y;
  }, [shape, rows, columns]);
  const zoomed = useEffectEvent((event: WheelEvent): void => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    zoomBy(Math.exp(-event.deltaY / 300), event.clientX - left, event.clientY - top);
  });
  useEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    // React's own handler may not keep the page from zooming.
    const listen = (event: WheelEvent): void => zoomed(event);
    box.addEventListener("wheel", listen, { passive: false });
    return () => box.removeEventListener("wheel", listen);
  }, []);

  // What is taken in hand elsewhere comes into sight; zooming afterwards keeps its own place.
  const show = useEffectEvent((): void => {
    const [box, row, column] = [scroller.current, entity?.rows[0] ?? 0, entity?.columns[0] ?? 0];
    if (box === null || entity === null) return;
    reveal(box, column * shape.cellWidth, size.width - LEFT, row * shape.cellHeight, height - TOP);
  });
  useEffect(() => show(), [entity]);

  const cellAt = (event: MouseEvent): Omit<Cell, "locked"> | null => {
    const box = scroller.current;
    if (box === null) return null;
    const { left, top } = box.getBoundingClientRect();
    const column = Math.floor((event.clientX - left - LEFT + box.scrollLeft) / shape.cellWidth);
    const row = Math.floor((event.clientY - top - TOP + box.scrollTop) / shape.cellHeight);
    return row >= 0 && row < rows && column >= 0 && column < columns ? { row, column } : null;
  };
  const hover = (event: MouseEvent): void => {
    if (cell?.locked === true) return;
    const at = cellAt(event);
    useInspect.setState({ cell: at === null ? null : { ...at, locked: false } });
  };
  const click = (event: MouseEvent): void => {
    const at = cellAt(event);
    const same = at !== null && cell?.locked === true && cell.row === at.row && cell.column === at.column;
    if (at === null) return;
    useInspect.setState({ cell: { ...at, locked: !same } });
    const own = same ? undefined : entityAt(view, at.row, at.column);
    if (own !== undefined) chooseEntity(view, own);
  };
  /** Where the cell in hand is in the box. */
  const handAt = (index: number, down = false): number => {
    const box = scroller.current;
    if (down) return TOP + (index + 0.5) * shape.cellHeight - (box?.scrollTop ?? 0);
    return LEFT + (index + 0.5) * shape.cellWidth - (box?.scrollLeft ?? 0);
  };
  const press = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (event.key === "Escape" && cell !== null) {
      useInspect.setState({ cell: null });
    } else if (event.key === "Escape" && entity !== null) {
      useView.getState().setInspect({ span: null });
    } else if (event.key === "Enter" && cell !== null) {
      const own = entityAt(view, cell.row, cell.column);
      if (own !== undefined) chooseEntity(view, own);
    } else if ((event.key === "+" || event.key === "-") && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const [x, y] = cell === null ? [size.width / 2, height / 2] : [handAt(cell.column), handAt(cell.row, true)];
      zoomBy(event.key === "+" ? 1.5 : 1 / 1.5, x, y);
    } else if (step !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const row = Math.max(0, Math.min(rows - 1, (cell?.row ?? 0) + step[0]));
      const column = Math.max(0, Math.min(columns - 1, (cell?.column ?? 0) + step[1]));
      useInspect.setState({ cell: { row, column, locked: true } });
      const box = scroller.current;
      if (box !== null) reveal(box, column * shape.cellWidth, size.width - LEFT, row * shape.cellHeight, height - TOP);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <figure className="heatmap">
      <figcaption className="ellipsis">{title}</figcaption>
      <div
        ref={scroller}
        className="heatmap-scroll"
        style={{ height: height + (shape.width > width ? 12 : 0) }}
        tabIndex={0}
        role="application"
        aria-roledescription="heatmap"
        aria-label={`${title}: ${rows} response tokens over ${columns} prompt tokens. Arrow keys move, Enter takes an entity in hand, + and − zoom, Escape lets go.`}
        onPointerMove={hover}
        onPointerLeave={() => cell?.locked !== true && useInspect.setState({ cell: null })}
        onClick={click}
        onKeyDown={press}
      >
        <div style={{ width: shape.width, height: shape.height }}>
          <canvas ref={canvas} style={{ width: size.width, height: size.height }} />
        </div>
      </div>
    </figure>
  );
}

/** Scrolls a cell at (x, y) of the map into the middle where it is out of sight. */
function reveal(box: HTMLElement, x: number, width: number, y: number, height: number): void {
  if (x < box.scrollLeft || x > box.scrollLeft + width - 24) box.scrollLeft = x - width / 2;
  if (y < box.scrollTop || y > box.scrollTop + height - 24) box.scrollTop = y - height / 2;
}
