import { CompareList } from "../evaluate/CompareList.tsx";
import { partOf, scoreAll } from "../evaluate/score.ts";
import { useModelChoices, type ModelChoice } from "../evaluate/states.ts";
import { formatPercent } from "../format.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { heldoutSet } from "./trainStore.ts";

/** Held-out sentences before and after training, with F1; refreshed while training goes on. */
export function BeforeAfter() {
  const project = useProject((state) => state.project);
  const choices = useModelChoices();
  const active = useEngine((state) => state.activeAdapter);
  const trained = useEngine((state) => state.trainedAdapter);
  const runs = useEngine((state) => state.runs);
  if (project === null) return null;
  const after = trained ?? active;
  const before = runs.find(({ id }) => id === after)?.parent ?? null;
  const shown = [choices.find(({ adapter }) => adapter === before), choices.find(({ adapter }) => adapter === after)];
  const ready = shown.filter((choice): choice is ModelChoice & { record: object } => choice?.record != null);
  const distinct = [...new Map(ready.map((choice) => [choice.adapter, choice])).values()];
  const scored = scoreAll(
    project,
    distinct.map(({ record }) => record),
  );
  const held = heldoutSet(project, null);
  const columns = distinct.flatMap(({ adapter, title, record }, index) => {
    const result = scored[index];
    if (result === undefined) return [];
    const f1 = formatPercent(result.evaluation.f1);
    const name = adapter === null ? "base model" : title;
    const part = partOf(held, record);
    const score = part === null ? `F1 ${f1}` : `F1 ${f1} (partial: ${part})`;
    return [{ title: `${adapter === before ? "Before" : "After"}: ${name} · ${score}`, scored: result }];
  });
  return (
    <section className="before-after" aria-label="Before and after">
      <h2>Held-out sentences, before and after</h2>
      {columns.length === 0 ? (
        <p className="faint">
          Predictions of the held-out sentences appear here, first without the adapter, then with it after each epoch.
        </p>
      ) : (
        <CompareList columns={columns} typeNames={project.types.map(({ name }) => name)} filter="all" />
      )}
    </section>
  );
}
