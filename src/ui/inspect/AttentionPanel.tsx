import type { AttentionPaint, AttentionView } from "../../worker/protocol.ts";
import { AttentionTable } from "./AttentionTable.tsx";
import { AttentionTools } from "./AttentionTools.tsx";
import { ColourLegend } from "./ColourLegend.tsx";
import { ContrastiveSection } from "./ContrastiveSection.tsx";
import { tokenLabel } from "./drawHeatmap.ts";
import { Heatmap } from "./Heatmap.tsx";
import { useInspect } from "./inspectStore.ts";
import { LookStatus } from "./LookStatus.tsx";
import { askAttention, useAttentionQuestion } from "./requests.ts";
import { useAutoLook } from "./useAutoLook.ts";
import { useWidth } from "./useWidth.ts";

/** Below it a map's cells are too small beside others: they stand below each other then. */
const LEAST_CELL = 5;
const GAP = 16;

/** How the response looks at the prompt, with up to three states of the model on one colour scale. */
export function AttentionPanel() {
  const question = useAttentionQuestion();
  const look = useInspect((state) => state.attention);
  const paint = useInspect((state) => state.paint);
  useAutoLook(look, question, askAttention);
  const view = look.shown?.value ?? null;
  const stale = look.shown?.key !== question?.key;
  return (
    <div className="inspect-body">
      <AttentionTools stale={stale} />
      <LookStatus
        look={look}
        figure={view !== null}
        wanted={question?.key ?? null}
        action="Read attention"
        onAsk={() => question !== null && void askAttention(question)}
      >
        How much each token of the gold response looks at each token of the prompt, layer by layer.
      </LookStatus>
      {view !== null && paint !== null && fits(view, paint) && (
        <div className={stale ? "inspect-figure stale" : "inspect-figure"}>
          <Maps view={view} paint={paint} />
          <AttentionTable view={view} paint={paint} />
          {question !== null && <ContrastiveSection question={question} />}
        </div>
      )}
    </div>
  );
}

/** The colours of a new answer come a moment after it. */
function fits({ rows, columns }: AttentionView, { panels }: AttentionPaint): boolean {
  return panels.every(({ values }) => values.length === rows.length * columns.length);
}

function Maps({ view, paint }: { view: AttentionView; paint: AttentionPaint }) {
  const hideFirst = useInspect((state) => state.drawn.hideFirst);
  const [box, width] = useWidth();
  const count = paint.panels.length;
  const share = (width - (count - 1) * GAP) / count;
  const beside = count > 1 && (share - 104) / view.columns.length >= LEAST_CELL;
  const entities = view.maps.filter(({ onEntities }) => onEntities !== null);
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
      <p className="soft">
        {view.model}, layer {view.layer}, {view.head === "mean" ? "mean of all heads" : `head ${view.head}`}, type{" "}
        {view.type}.{" "}
        {entities.length === 0
          ? "No gold entity of the type in the sentence."
          : `Attention on gold entities: ${entities.map(({ name, onEntities }) => `${name} ${(onEntities ?? NaN).toFixed(4)}`).join(", ")}.`}
      </p>
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
          click keeps it, arrow keys move it.
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
