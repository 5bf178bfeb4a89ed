import type { HeadsRow, HeadsView } from "../../worker/protocol.ts";
import { ChosenDifferences } from "./Differences.tsx";
import { ColourLegend } from "./ColourLegend.tsx";
import { ExportButtons } from "./ExportButtons.tsx";
import { HeadsMap, headsShape } from "./HeadsMap.tsx";
import { HeadsTable } from "./HeadsTable.tsx";
import { useInspect } from "./inspectStore.ts";
import { LookStatus } from "./LookStatus.tsx";
import { askHeads, useHeadsQuestion } from "./requests.ts";
import { shareLabel } from "./shareLabel.ts";
import { StateChoice } from "./StateChoice.tsx";
import { useAutoLook } from "./useAutoLook.ts";
import { useWidth } from "./useWidth.ts";

/** How much of the response's attention falls on gold entities: a number a head, of all layers. */
export function HeadsPanel() {
  const question = useHeadsQuestion();
  const look = useInspect((state) => state.heads);
  useAutoLook(look, question, askHeads);
  const view = look.shown?.value ?? null;
  const stale = look.shown?.key !== question?.key;
  return (
    <div className="inspect-body">
      <div className="inspect-tools">
        <StateChoice />
        <span className="grow" />
        <ExportButtons disabled={view === null || stale} file={(client, format) => client.headsFile(format)} />
      </div>
      <ChosenDifferences />
      <LookStatus
        look={look}
        figure={view !== null}
        wanted={question?.key ?? null}
        action="Read all heads"
        onAsk={() => question !== null && void askHeads(question)}
      >
        How much of the response&apos;s attention falls on the sentence&apos;s gold entities: one number a head, of all
        layers.
      </LookStatus>
      {view !== null && (
        <div className={stale ? "inspect-figure stale" : "inspect-figure"}>
          <HeadsMaps view={view} />
          <HeadsTable view={view} />
        </div>
      )}
    </div>
  );
}

function HeadsMaps({ view }: { view: HeadsView }) {
  const [box, width] = useWidth();
  const shape = headsShape(view, width);
  const base = view.values.maps[0]?.name ?? "";
  const row = (of: HeadsRow, change: boolean) => (
    <div className={shape.beside ? "heatmaps beside" : "heatmaps"}>
      {of.maps.map((map, index) => (
        <HeadsMap
          key={map.name}
          view={view}
          map={map}
          letter={change ? "" : view.values.maps.length > 1 ? `(${"abc".charAt(index)}) ` : ""}
          shape={shape}
          change={change}
        />
      ))}
    </div>
  );
  return (
    <>
      <Readout view={view} />
      <div ref={box} className="heads-rows">
        {width > 0 && row(view.values, false)}
        <ColourLegend legend={view.values.legend} title="attention on gold entities" />
        {width > 0 && view.changes.maps.length > 0 && (
          <>
            {row(view.changes, true)}
            <ColourLegend legend={view.changes.legend} title={`change from ${base}`} />
          </>
        )}
      </div>
      <p className="soft">
        {view.model}, type {view.type}: share of the attention of the response ({view.rows} tokens, mean) that falls on
        the sentence&apos;s gold entities ({view.entityTokens} {view.entityTokens === 1 ? "token" : "tokens"}).
        {shape.numbered && " Numbers in cells are hundredths."}
      </p>
    </>
  );
}

/** The head in hand in words and numbers. */
function Readout({ view }: { view: HeadsView }) {
  const cell = useInspect((state) => state.headCell);
  const at = cell === null ? -1 : cell.layer * view.heads + cell.head;
  const maps = [...view.values.maps, ...view.changes.maps];
  return (
    <p className="readout" aria-live="polite">
      {cell === null || at >= view.layers * view.heads ? (
        <span className="faint">
          {view.layers} layers × {view.heads} heads. Hover or arrow keys read a head, a click or Enter shows its map.
        </span>
      ) : (
        <>
          <span>
            layer {cell.layer}, head {cell.head}
          </span>
          {maps.map(({ name, values }, index) => (
            <span key={name}>
              <span className="soft ellipsis">{name}</span>{" "}
              <strong className="number">{shareLabel(values[at] ?? NaN, index >= view.values.maps.length)}</strong>
            </span>
          ))}
        </>
      )}
    </p>
  );
}
