import { Empty } from "../components/Empty.tsx";
import { download } from "../documents/download.ts";
import { ModelPicker } from "../evaluate/ModelPicker.tsx";
import { PredictRow } from "../evaluate/PredictRow.tsx";
import { usePair } from "../evaluate/states.ts";
import { formatCount } from "../format.ts";
import { Differences } from "../inspect/Differences.tsx";
import { withState } from "../models/modelStates.ts";
import { ask, useEngine } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";
import { CASE_FILTERS, isShownCase, type CaseFilter } from "../../ner/cases.ts";
import type { BoundaryErrorKind } from "../../ner/boundary.ts";
import { casesCsv, casesJson } from "./casesFile.ts";
import { CaseRows } from "./CaseRows.tsx";
import { useCases } from "./casesStore.ts";
import { useCaseList } from "./useCaseList.ts";

const BOUNDARY_KINDS: readonly BoundaryErrorKind[] = ["shorter", "longer", "offset"];

/** Held-out sentences: gold, and what two states of the model predict (OBP-LLM, Fig. 6). */
export function CasesPanel() {
  const list = useCaseList();
  const { filter, boundary } = useCases();
  const model = useEngine((state) => state.model);
  const { choices, before, after, afterStage, types, cases, heldout } = list;
  const pair = usePair(before, after);
  if (model.kind !== "open" || before === undefined || after === undefined) {
    const opening = model.kind === "opening";
    return (
      <Empty title={opening ? "Opening the model" : "No model is open"}>{!opening && "Open one under Models."}</Empty>
    );
  }
  if (heldout === 0) {
    return (
      <Empty
        title="No held-out sentences"
        action={<button onClick={() => useView.getState().setOverlay("import")}>Import documents…</button>}
      >
        Cases need sentences that are labelled and not trained on: import some into Held-out, or label there.
      </Empty>
    );
  }
  const titles: Readonly<Record<CaseFilter, string>> = {
    ...{ all: "All", changed: "Changed", boundary: "Boundary errors" },
    fixed: `Fixed by ${afterStage}`,
    broken: `Broken by ${afterStage}`,
  };
  const choose = (place: number, id: string): void => {
    const view = useView.getState();
    // A third state that other views compare stays beside them.
    const both = before.adapter === after.adapter ? [before.adapter] : [before.adapter, after.adapter];
    const beside = view.inspect.states?.slice(2) ?? [];
    view.setInspect({ states: withState([...both, ...beside], place, id === "" ? null : id) });
  };
  const shown = cases.filter((one) => isShownCase(one, filter, boundary));
  const save = async (format: "json" | "csv"): Promise<void> => {
    const compared = await ask((client) => client.compare(pair));
    const name = filter === "boundary" && boundary !== null ? `boundary ${boundary}` : filter;
    const choice = { model: model.facts.name, before: before.title, after: after.title, filter: name, types, compared };
    download(`cases-${name.replace(" ", "-")}.${format}`, (format === "json" ? casesJson : casesCsv)(shown, choice));
  };
  return (
    <div className="inspect-body cases">
      <div className="inspect-tools">
        <ModelPicker label="Before" value={before.adapter ?? ""} choices={choices} onChange={(id) => choose(0, id)} />
        <ModelPicker label="After" value={after.adapter ?? ""} choices={choices} onChange={(id) => choose(1, id)} />
        <span className="grow" />
        <div className="row" role="group" aria-label="Save the cases listed">
          {(["csv", "json"] as const).map((format) => (
            <button
              key={format}
              className="quiet small"
              disabled={shown.length === 0}
              title={`Save the cases listed as ${format.toUpperCase()}`}
              onClick={() => void save(format)}
            >
              {format.toUpperCase()}
            </button>
          ))}
        </div>
      </div>
      <Differences states={pair} />
      <div className="inspect-tools">
        <div className="segmented" role="group" aria-label="Which cases">
          {CASE_FILTERS.map((name) => (
            <button key={name} aria-pressed={name === filter} onClick={() => useCases.setState({ filter: name })}>
              {titles[name]}{" "}
              <span className="number faint">
                {formatCount(cases.filter((one) => isShownCase(one, name, null)).length)}
              </span>
            </button>
          ))}
        </div>
        {filter === "boundary" && (
          <label className="row" title="The predicted span against gold: inside it, around it, or neither">
            <span className="soft">Kind</span>
            <select
              value={boundary ?? ""}
              onChange={({ target }) =>
                useCases.setState({ boundary: BOUNDARY_KINDS.find((kind) => kind === target.value) ?? null })
              }
            >
              <option value="">any</option>
              {BOUNDARY_KINDS.map((kind) => (
                <option key={kind}>{kind}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      <div className="case-notes">
        {[before, ...(after.adapter === before.adapter ? [] : [after])].map((choice) => (
          <PredictRow key={choice.adapter ?? ""} choice={choice} />
        ))}
        {choices.length === 1 ? (
          <div className="predict-row">
            <span className="grow">There is no adapter to compare with yet: training makes one.</span>
            <button onClick={() => useView.getState().goTo("train")}>Go to Train</button>
          </div>
        ) : (
          before.adapter === after.adapter && <p className="soft">Both are the same: choose another one.</p>
        )}
      </div>
      {cases.length > 0 && (
        <CaseRows
          cases={shown}
          states={[before.title, after.title]}
          note={`${formatCount(shown.length)} of ${formatCount(cases.length)} sentences that both predicted`}
        />
      )}
    </div>
  );
}
