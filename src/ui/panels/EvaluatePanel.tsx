import { useState } from "react";
import { Empty } from "../components/Empty.tsx";
import { CompareList, type CompareFilter } from "../evaluate/CompareList.tsx";
import { ModelPicker } from "../evaluate/ModelPicker.tsx";
import { PredictRow } from "../evaluate/PredictRow.tsx";
import { BoundaryTable, ScoreTable } from "../evaluate/ScoreTables.tsx";
import { partOf, scoreAll } from "../evaluate/score.ts";
import { useModelChoices, usePair, type ModelChoice } from "../evaluate/states.ts";
import { formatCount, formatPercent } from "../format.ts";
import { Differences } from "../inspect/Differences.tsx";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { heldoutSet } from "../train/trainStore.ts";

const FILTERS: readonly [CompareFilter, string][] = [
  ["all", "All"],
  ["changed", "Changed"],
  ["wrong", "Wrong after"],
];

function EvaluatePanel() {
  const project = useProject((state) => state.project);
  const choices = useModelChoices();
  const active = useEngine((state) => state.activeAdapter);
  const [before, setBefore] = useState<string>("");
  const [chosenAfter, setAfter] = useState<string | null>(null);
  const [filter, setFilter] = useState<CompareFilter>("all");
  const after = chosenAfter ?? active ?? choices[1]?.adapter ?? "";
  const pick = (id: string): ModelChoice | undefined => choices.find(({ adapter }) => (adapter ?? "") === id);
  const picked = [pick(before), pick(after)].filter((choice) => choice !== undefined);
  const chosen = before === after ? picked.slice(0, 1) : picked;
  const pair = usePair(chosen[0], chosen[1]);
  if (project === null) return null;
  const ready = chosen.filter((choice): choice is ModelChoice & { record: object } => choice.record !== null);
  const scored = scoreAll(
    project,
    ready.map(({ record }) => record),
  );
  const held = heldoutSet(project, null);
  const columns = ready.flatMap(({ title, record }, index) => {
    const result = scored[index];
    return result === undefined ? [] : [{ title, scored: result, part: partOf(held, record) }];
  });
  const typeNames = project.types.map(({ name }) => name);

  if (held.length === 0) {
    return (
      <Empty
        title="No held-out sentences"
        action={<button onClick={() => useView.getState().setOverlay("import")}>Import documents…</button>}
      >
        Scores need sentences that are labelled and not trained on: import some into Held-out, or label there.
      </Empty>
    );
  }
  return (
    <div className="evaluate">
      <header className="pane-head">
        <ModelPicker label="Before" value={before} choices={choices} onChange={setBefore} />
        {choices.length > 1 && <ModelPicker label="After" value={after} choices={choices} onChange={setAfter} />}
        <span className="grow" />
        <span className="faint">
          {formatCount(columns[0]?.scored.gold.length ?? 0)} of {formatCount(held.length)} held-out sentences predicted;
          strict span F1, micro
        </span>
      </header>
      <Differences states={pair} />
      <div className="evaluate-scroll">
        {chosen.map((choice) => (
          <PredictRow key={choice.title} choice={choice} />
        ))}
        {choices.length === 1 && (
          <div className="predict-row">
            <span className="grow">There is no adapter to compare with yet: training makes one.</span>
            <button onClick={() => useView.getState().goTo("train")}>Go to Train</button>
          </div>
        )}
        {columns.length > 0 && (
          <>
            <div className="score-line">
              {columns.map(({ title, part, scored: { evaluation } }) => (
                <div key={title}>
                  <span className="soft">{title}</span>
                  <strong className="big number">{formatPercent(evaluation.f1)}</strong>
                  <span className="faint number">
                    P {formatPercent(evaluation.precision)} · R {formatPercent(evaluation.recall)} · {evaluation.tp}{" "}
                    right, {evaluation.fp} wrong, {evaluation.fn} missed
                  </span>
                  {part !== null && <span className="warn-text">Partial: {part}</span>}
                </div>
              ))}
            </div>
            <ScoreTable columns={columns} typeNames={typeNames} />
            <BoundaryTable columns={columns} />
            <section>
              <header className="row">
                <h2 className="grow">Sentences</h2>
                <div className="segmented" role="group" aria-label="Which sentences">
                  {FILTERS.map(([name, title]) => (
                    <button key={name} aria-pressed={filter === name} onClick={() => setFilter(name)}>
                      {title}
                    </button>
                  ))}
                </div>
              </header>
              <CompareList columns={columns} typeNames={typeNames} filter={filter} />
            </section>
          </>
        )}
      </div>
    </div>
  );
}

export const evaluatePanel = { id: "evaluate", title: "Evaluate", Component: EvaluatePanel } as const;
