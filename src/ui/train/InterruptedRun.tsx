import { formatCount, plural } from "../format.ts";
import { adapterTitle } from "../models/adapterTitle.ts";
import { ask, useEngine } from "../stores/engineStore.ts";

/** A run that a closed tab or a lost GPU cut off: go on from its last saved state, or let it go. */
export function InterruptedRun() {
  const run = useEngine(({ runs }) => runs.find(({ status }) => status === "running"));
  const job = useEngine((state) => state.job);
  const model = useEngine((state) => state.model);
  const ready = useEngine(({ gpu }) => gpu.kind === "ready");
  if (run === undefined || job !== null) return null;
  const isOpen = model.kind === "open" && model.facts.fingerprint === run.model;
  const steps = run.checkpoints[0]?.step ?? 0;
  return (
    <section className="banner warn" role="status" aria-label="Interrupted training">
      <div className="grow">
        <strong>{adapterTitle({ name: run.name, training: run })} was interrupted.</strong>{" "}
        {steps === 0
          ? `It can go on from its start, ${plural(run.totalSteps, "step")}.`
          : `It can go on from step ${formatCount(steps)} of ${formatCount(run.totalSteps)}.`}
        {!isOpen && model.kind === "open" && ` Open the model ${run.modelName} under Models first.`}
      </div>
      <button onClick={() => void ask((client) => client.discardRun(run.id))}>Discard</button>
      <button
        className="primary"
        disabled={!isOpen || !ready}
        onClick={() => void ask((client) => client.continueRun(run.id))}
      >
        Resume
      </button>
    </section>
  );
}
