import { useEffect, useMemo, useRef, type KeyboardEvent, type MouseEvent } from "react";
import type { AttentionPaint, AttentionView } from "../../worker/protocol.ts";
import { useView } from "../stores/viewStore.ts";
import { drawHeatmap, heatmapInk, heatmapShape, LEFT, TOP } from "./drawHeatmap.ts";
import { useInspect, type Cell } from "./inspectStore.ts";

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
  const readable = useInspect((state) => state.readable);
  const dark = useView((state) => state.dark);
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [rows, columns] = [view.rows.length, view.columns.length];
  const shape = useMemo(() => heatmapShape(rows, columns, width, readable), [rows, columns, width, readable]);
  const cells = useMemo(() => {
    const made = new OffscreenCanvas(columns, rows);
    made.getContext("2d")?.putImageData(new ImageData(panel.rgba, columns, rows), 0, 0);
    return made;
  }, [panel, rows, columns]);
  // In one piece where it fits; else rows scroll under the column labels.
  const height = Math.min(shape.height, 460);
  const size = useMemo(() => ({ width: Math.min(width, shape.width), height }), [width, shape, height]);

  useEffect(() => {
    const [element, box] = [canvas.current, scroller.current];
    const context = element?.getContext("2d");
    if (element === null || box === null || context === null || context === undefined) return;
    const ink = heatmapInk();
    let frame = 0;
    const draw = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        const ratio = devicePixelRatio;
        const [wide, high] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
        if (element.width !== wide) element.width = wide;
        if (element.height !== high) element.height = high;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        const scroll = { x: box.scrollLeft, y: box.scrollTop };
        drawHeatmap(context, { view, shape, cells, cell, scroll, size, ink });
      });
    };
    draw();
    box.addEventListener("scroll", draw);
    return () => {
      cancelAnimationFrame(frame);
      box.removeEventListener("scroll", draw);
    };
  }, [view, shape, cells, cell, size, dark]);

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
    if (at !== null) useInspect.setState({ cell: { ...at, locked: !same } });
  };
  const press = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (event.key === "Escape" && cell !== null) {
      useInspect.setState({ cell: null });
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
        aria-label={`${title}: ${rows} response tokens over ${columns} prompt tokens. Arrow keys move, Escape lets go.`}
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
