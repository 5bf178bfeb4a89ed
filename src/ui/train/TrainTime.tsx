import { formatSeconds } from "../format.ts";
import type { TrainConfig, TrainingPlan } from "../../worker/protocol.ts";
import { ask, useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { knownSpeed, stepSeconds } from "./timeEstimate.ts";
import { supportSet } from "./trainStore.ts";
import { useStartAdapter } from "./useStartAdapter.ts";

/** How long all steps will take, where steps like these have been taken here; else a button that takes three. */
export function TrainTime({ plan, config }: { plan: TrainingPlan; config: TrainConfig }) {
  const measured = useEngine((state) => state.measured);
  const runs = useEngine((state) => state.runs);
  const model = useEngine((state) => (state.model.kind === "open" ? state.model.facts.fingerprint : null));
  const canMeasure = useEngine(({ gpu, job }) => gpu.kind === "ready" && job === null);
  const parent = useStartAdapter();
  if (model === null) return null;
  // An adapter that is gone on with keeps its size.
  const settings = parent === null ? config : { ...config, rank: parent.rank, targets: parent.targets };
  const speed = knownSpeed(model, settings, measured, runs);
  return (
    <span className="row">
      {speed !== null && (
        <span title={`Steps alone. Speed: ${speed.run === null ? "measured" : `that of ${speed.run}`}.`}>
          about <span className="number">{formatSeconds(stepSeconds(plan, config, speed))}</span>
        </span>
      )}
      <button
        className="small"
        disabled={!canMeasure}
        title="Takes three steps to tell the time of all; nothing of them is kept"
        onClick={() => void measure(config, parent?.id ?? null)}
      >
        {speed === null ? "Measure 3 steps" : "Measure"}
      </button>
    </span>
  );
}

async function measure(config: TrainConfig, parent: string | null): Promise<void> {
  const { project } = useProject.getState();
  if (project === null) return;
  const learned = { documents: supportSet(project), types: project.types, corpora: [], corpusTypes: [], next: [] };
  const request = { ...learned, name: "Three steps", heldout: [], evaluate: "never", config, parent } as const;
  await ask((client) => client.measure(request));
}
