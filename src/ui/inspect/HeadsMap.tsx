import { type KeyboardEvent, type PointerEvent, useEffect, useRef } from "react";
import type { HeadsRow, HeadsView } from "../../worker/protocol.ts";
import { useView } from "../stores/viewStore.ts";
import { heatmapInk } from "./drawHeatmap.ts";
import { useInspect } from "./inspectStore.ts";
import { shareLabel } from "./shareLabel.ts";

/** Room for the layers' numbers, and for the heads' below. CSS pixels. */
const LEFT = 52;
const BELOW = 18;
const GAP = 16;
/** From this width and height on a cell has room for its number. */
const NUMBERED = { width: 29, height: 15 } as const;

export interface HeadsShape {
  /** Whether the maps stand beside each other. */
  beside: boolean;
  cellWidth: number;
  cellHeight: number;
  numbered: boolean;
}

/** @param width of the panel, which the maps of all states share where that leaves their cells room */
export function headsShape({ layers, heads, values }: HeadsView, width: number): HeadsShape {
  const count = values.maps.length;
  const least = heads <= 16 ? NUMBERED.width : 8;
  const share = ((width - (count - 1) * GAP) / count - LEFT - 2) / heads;
  const beside = count > 1 && share >= least;
  const cellWidth = Math.max(6, Math.min(36, Math.floor(beside ? share : (width - LEFT - 2) / heads)));
  const cellHeight = Math.max(8, Math.min(20, Math.floor(520 / layers)));
  const numbered = cellWidth >= NUMBERED.width && cellHeight >= NUMBERED.height;
  return { beside, cellWidth, cellHeight, numbered };
}

/** One map: hover and arrow keys read a head, a click or Enter shows its attention. */
export function HeadsMap(props: {
  view: HeadsView;
  map: HeadsRow["maps"][number];
  letter: string;
  shape: HeadsShape;
  change: boolean;
}) {
  const { view, map, letter, shape, change } = props;
  const { layers, heads } = view;
  const cell = useInspect((state) => state.headCell);
  const dark = useView((state) => state.dark);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, height] = [LEFT + heads * shape.cellWidth + 2, 2 + layers * shape.cellHeight + BELOW];

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (element === null || context === null || context === undefined) return;
    const ratio = devicePixelRatio;
    [element.width, element.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw(context, { view, map, shape, cell, change });
  }, [view, map, shape, cell, change, width, height, dark]);

  const cellAt = (event: PointerEvent | React.MouseEvent): { layer: number; head: number } | null => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const head = Math.floor((event.clientX - left - LEFT) / shape.cellWidth);
    const layer = Math.floor((event.clientY - top - 1) / shape.cellHeight);
    return head >= 0 && head < heads && layer >= 0 && layer < layers ? { layer, head } : null;
  };
  const open = (at: { layer: number; head: number } | null): void => {
    if (at !== null) useView.getState().setInspect({ view: "attention", ...at });
  };
  const press = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (event.key === "Enter") open(cell);
    else if (event.key === "Escape" && cell !== null) useInspect.setState({ headCell: null });
    else if (step !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const layer = Math.max(0, Math.min(layers - 1, cell === null ? 0 : cell.layer + step[0]));
      const head = Math.max(0, Math.min(heads - 1, cell === null ? 0 : cell.head + step[1]));
      useInspect.setState({ headCell: { layer, head } });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const title = `${letter}${map.name}`;
  return (
    <figure className="heatmap">
      <figcaption className="ellipsis">
        {title} <span className="number soft">mean {shareLabel(map.mean, change)}</span>
      </figcaption>
      <canvas
        ref={canvas}
        className="heads-map"
        style={{ width, height }}
        tabIndex={0}
        role="application"
        aria-roledescription="heatmap"
        aria-label={`${title}: ${layers} layers, ${heads} heads, mean ${shareLabel(map.mean, change)}. Arrow keys move, Enter shows a head's map.`}
        onPointerMove={(event) => useInspect.setState({ headCell: cellAt(event) })}
        onClick={(event) => open(cellAt(event))}
        onKeyDown={press}
      />
    </figure>
  );
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

function draw(
  context: CanvasRenderingContext2D,
  scene: {
    view: HeadsView;
    map: HeadsRow["maps"][number];
    shape: HeadsShape;
    cell: { layer: number; head: number } | null;
    change: boolean;
  },
): void {
  const { view, map, shape, cell, change } = scene;
  const { layers, heads } = view;
  const { cellWidth, cellHeight, numbered } = shape;
  const ink = heatmapInk();
  context.fillStyle = ink.background;
  context.fillRect(0, 0, LEFT + heads * cellWidth + 2, 2 + layers * cellHeight + BELOW);
  context.textBaseline = "middle";
  for (let at = 0; at < layers * heads; at++) {
    const [x, y] = [LEFT + (at % heads) * cellWidth, 1 + Math.floor(at / heads) * cellHeight];
    const [r = 0, g = 0, b = 0] = map.rgba.subarray(4 * at, 4 * at + 3);
    context.fillStyle = `rgb(${r} ${g} ${b})`;
    context.fillRect(x, y, cellWidth, cellHeight);
    if (!numbered) continue;
    const value = map.values[at] ?? NaN;
    context.font = `10px ${ink.font}`;
    context.textAlign = "center";
    context.fillStyle = g < 130 ? "#ffffff" : "#1b1b1b";
    context.fillText(shareLabel(100 * value, change, 1), x + cellWidth / 2, y + cellHeight / 2 + 0.5);
  }
  context.lineWidth = 1;
  context.strokeStyle = ink.line;
  context.strokeRect(LEFT - 0.5, 0.5, heads * cellWidth + 1, layers * cellHeight + 1);
  axes(context, scene, ink);
  if (cell === null || cell.layer >= layers || cell.head >= heads) return;
  const box = [LEFT + cell.head * cellWidth, 1 + cell.layer * cellHeight, cellWidth, cellHeight] as const;
  context.lineWidth = 4;
  context.strokeStyle = "#ffffff";
  context.strokeRect(...box);
  context.lineWidth = 2;
  context.strokeStyle = ink.hand;
  context.strokeRect(...box);
}

function axes(
  context: CanvasRenderingContext2D,
  { view: { layers, heads }, shape: { cellWidth, cellHeight }, cell }: Parameters<typeof draw>[1],
  ink: ReturnType<typeof heatmapInk>,
): void {
  context.font = `10px ${ink.font}`;
  const everyLayer = Math.ceil(10 / cellHeight);
  const everyHead = Math.ceil(18 / cellWidth);
  context.textAlign = "right";
  for (let layer = 0; layer < layers; layer += everyLayer) {
    context.fillStyle = cell?.layer === layer ? ink.hand : ink.soft;
    context.fillText(layer === 0 ? "layer 0" : `${layer}`, LEFT - 5, 1 + (layer + 0.5) * cellHeight);
  }
  context.textAlign = "center";
  for (let head = 0; head < heads; head += everyHead) {
    context.fillStyle = cell?.head === head ? ink.hand : ink.soft;
    const y = 1 + layers * cellHeight + BELOW / 2 + 2;
    if (head > 0) context.fillText(`${head}`, LEFT + (head + 0.5) * cellWidth, y);
  }
  context.textAlign = "right";
  context.fillStyle = cell?.head === 0 ? ink.hand : ink.soft;
  context.fillText("head 0", LEFT + 0.5 * cellWidth + 4, 1 + layers * cellHeight + BELOW / 2 + 2);
}
