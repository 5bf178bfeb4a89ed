import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { AttentionPaint, AttentionView } from "../../worker/protocol.ts";
import { type Column, DataTable } from "../components/DataTable.tsx";
import { useView } from "../stores/viewStore.ts";
import { AboutMaps } from "./AboutMaps.tsx";
import { ColourLegend } from "./ColourLegend.tsx";
import { drawMark, heatmapInk } from "./drawHeatmap.ts";
import { useEntityInHand } from "./entityInHand.ts";
import { useInspect } from "./inspectStore.ts";
import { useWidth } from "./useWidth.ts";

/** Least width of one map, and room between those of a head and between heads. CSS pixels. */
const LEAST = 130;
const [WITHIN, BETWEEN] = [6, 16];

const show = (head: number): void => useView.getState().setInspect({ head });

/** Room for marks above a map: at this size frames would cover the columns that they frame. */
const MARKS = 9;

/** All heads of the layer, small and on one scale; a click or Enter shows a head by itself. */
export function HeadGrid({ view, paint }: { view: AttentionView; paint: AttentionPaint }) {
  const hideFirst = useInspect((state) => state.drawn.hideFirst);
  const [box, width] = useWidth();
  const [at, setAt] = useState(0);
  const maps = paint.panels.length;
  const least = maps * LEAST + (maps - 1) * WITHIN;
  const across = Math.max(1, Math.min(view.heads, Math.floor((width + BETWEEN) / (least + BETWEEN))));
  const tile = Math.floor((width - (across - 1) * BETWEEN) / across);
  const mapWidth = Math.floor((tile - (maps - 1) * WITHIN) / maps);
  const move = (event: KeyboardEvent<HTMLDivElement>): void => {
    const steps: Readonly<Record<string, number>> = {
      ...{ ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across, Home: -Infinity, End: Infinity },
    };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = Math.max(0, Math.min(view.heads - 1, at + step));
    setAt(next);
    event.currentTarget.querySelectorAll("button")[next]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      <p className="readout faint">
        {view.rows.length} response tokens (rows) over {view.columns.length} prompt tokens, head by head. A click or
        Enter shows a head by itself.
      </p>
      <div
        ref={box}
        className="head-grid heatmaps"
        role="group"
        aria-label={`Heads of layer ${view.layer}. Arrow keys move, Enter shows a head by itself.`}
        onKeyDown={move}
      >
        {width > 0 &&
          Array.from({ length: view.heads }, (_, head) => (
            <button
              key={head}
              className="head-tile"
              style={{ width: tile }}
              tabIndex={head === Math.min(at, view.heads - 1) ? 0 : -1}
              aria-label={`Head ${head}. ${saidShares(view, head)}`}
              onFocus={() => setAt(head)}
              onClick={() => show(head)}
            >
              <span className="head-title">
                head {head} <span className="number faint">{shownShares(view, head)}</span>
              </span>
              <span className="head-maps" style={{ gap: WITHIN }}>
                {paint.panels.map((panel) => (
                  <SmallMap key={panel.name} view={view} panel={panel} head={head} width={mapWidth} />
                ))}
              </span>
            </button>
          ))}
      </div>
      {maps > 1 && (
        <p className="soft">
          In each head, from left to right:{" "}
          {paint.panels.map(({ name }, index) => `(${"abc".charAt(index)}) ${name}`).join(", ")}.
        </p>
      )}
      <ColourLegend legend={paint.legend} hideFirst={hideFirst} />
      <AboutMaps view={view} />
      <HeadTable view={view} />
    </>
  );
}

function shownShares({ maps }: AttentionView, head: number): string {
  return maps.map(({ onEntities }) => onEntities?.[head]?.toFixed(3) ?? "").join("  ");
}

function saidShares({ maps }: AttentionView, head: number): string {
  const shares = maps.map(({ name, onEntities }) => `${name} ${onEntities?.[head]?.toFixed(4) ?? "none"}`);
  return `Attention on gold entities: ${shares.join(", ")}`;
}

function SmallMap(props: {
  view: AttentionView;
  panel: AttentionPaint["panels"][number];
  head: number;
  width: number;
}) {
  const { view, panel, head, width } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [rows, columns] = [view.rows.length, view.columns.length];
  const dark = useView((state) => state.dark);
  const entity = useEntityInHand(view);
  const height = Math.round(Math.max(48, Math.min(140, (rows * width) / columns)));
  const cells = panel.images[head];
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (element === null || context === null || context === undefined || cells === undefined) return;
    const ratio = devicePixelRatio;
    [element.width, element.height] = [Math.round(width * ratio), Math.round((MARKS + height) * ratio)];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingEnabled = columns * 1.2 > width || rows * 1.2 > height;
    context.drawImage(cells, 0, MARKS, width, height);
    const ink = heatmapInk();
    context.strokeStyle = ink.line;
    context.strokeRect(0.5, MARKS + 0.5, width - 1, height - 1);
    const [left, right] = [entity?.columns.at(0), entity?.columns.at(-1)];
    if (left !== undefined && right !== undefined) {
      context.lineWidth = 1.5;
      context.strokeStyle = ink.hand;
      context.strokeRect((left * width) / columns, MARKS, ((right + 1 - left) * width) / columns, height);
    }
    for (const { role, first, count } of view.columnRuns) {
      drawMark(context, ink, role, ((first + count / 2) * width) / columns, MARKS / 2);
    }
  }, [view, cells, entity, width, height, columns, rows, dark]);
  return <canvas ref={canvas} style={{ width, height: MARKS + height }} aria-hidden="true" />;
}

interface Row {
  head: number;
  shares: readonly number[];
}

/** The heads in numbers. */
function HeadTable({ view }: { view: AttentionView }) {
  if (view.maps.every(({ onEntities }) => onEntities === null)) return null;
  const rows = Array.from({ length: view.heads }, (_, head): Row => ({
    head,
    shares: view.maps.map(({ onEntities }) => onEntities?.[head] ?? NaN),
  }));
  const columns: Column<Row>[] = [
    { title: "Head", value: ({ head }) => head },
    ...view.maps.map(({ name }, index): Column<Row> => ({
      title: name,
      value: ({ shares }) => shares[index] ?? NaN,
      draw: ({ shares }) => (shares[index] ?? NaN).toFixed(4),
    })),
  ];
  return (
    <details className="numbers">
      <summary>Attention on gold entities, head by head</summary>
      <DataTable label={`Attention on gold entities, heads of layer ${view.layer}`} rows={rows} columns={columns} />
    </details>
  );
}
