import type { AttentionPaint, AttentionView } from "../../worker/protocol.ts";
import { AboutMaps } from "./AboutMaps.tsx";
import { AttentionTable } from "./AttentionTable.tsx";
import { ColourLegend } from "./ColourLegend.tsx";
import { tokenLabel } from "./drawHeatmap.ts";
import { useEntityInHand, useLockedEntity } from "./entityInHand.ts";
import { HeadGrid } from "./HeadGrid.tsx";
import { Heatmap } from "./Heatmap.tsx";
import { useInspect } from "./inspectStore.ts";
import { useWidth } from "./useWidth.ts";

/** Below it a map's cells are too small beside others: they stand below each other then. */
const LEAST_CELL = 5;
const GAP = 16;

/** Maps on one scale with their numbers: all heads small, or one map a state. */
export function AttentionMaps({ view, paint }: { view: AttentionView; paint: AttentionPaint }) {
  // The colours of a new answer come a moment after it.
  const size = view.heads * view.rows.length * view.columns.length;
  if (paint.panels.some(({ values }) => values.length !== size)) return null;
  if (view.head === "all") return <HeadGrid view={view} paint={paint} />;
  return (
    <>
      <Maps view={view} paint={paint} />
      <AttentionTable view={view} paint={paint} />
    </>
  );
}

function Maps({ view, paint }: { view: AttentionView; paint: AttentionPaint }) {
  useLockedEntity(useEntityInHand(view));
  const hideFirst = useInspect((state) => state.drawn.hideFirst);
  const [box, width] = useWidth();
  const count = paint.panels.length;
  const share = (width - (count - 1) * GAP) / count;
  const beside = count > 1 && (share - 104) / view.columns.length >= LEAST_CELL;
  return (
    <>
      <Readout view={view} paint={paint} />
      <div ref={box} className={beside ? "heatmaps beside" : "heatmaps"}>
        {width > 0 &&
          paint.panels.map((panel, index) => (
            <Heatmap
              key={panel.name}
              view={view}
              panel={panel}
              title={count > 1 ? `(${"abc".charAt(index)}) ${panel.name}` : panel.name}
              width={Math.floor(beside ? share : width)}
            />
          ))}
      </div>
      <ColourLegend legend={paint.legend} hideFirst={hideFirst} />
      <AboutMaps view={view} />
    </>
  );
}

/** The cell in hand in words and numbers. */
function Readout({ view, paint }: { view: AttentionView; paint: AttentionPaint }) {
  const cell = useInspect((state) => state.cell);
  const [row, column] = [view.rows[cell?.row ?? -1], view.columns[cell?.column ?? -1]];
  return (
    <p className="readout" aria-live={cell?.locked === true ? "polite" : "off"}>
      {cell === null || row === undefined || column === undefined ? (
        <span className="faint">
          {view.rows.length} response tokens (rows) over {view.columns.length} prompt tokens. Hover reads a cell, a
          click keeps it and takes its entity in hand, arrow keys move it.
        </span>
      ) : (
        <>
          <span className="mono">{tokenLabel(row.text)}</span> <span className="faint">row {cell.row}</span> →{" "}
          <span className="mono">{tokenLabel(column.text)}</span> <span className="faint">column {cell.column}</span>
          {paint.panels.map(({ name, values }) => (
            <span key={name}>
              <span className="soft ellipsis">{name}</span>{" "}
              <strong className="number">
                {(values[cell.row * view.columns.length + cell.column] ?? NaN).toPrecision(3).replace("-", "−")}
              </strong>
            </span>
          ))}
        </>
      )}
    </p>
  );
}
