import { formatSeconds } from "../format.ts";
import type { TrainConfig, TrainingPlan } from "../../worker/protocol.ts";
import { ask, useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { definedTypes } from "./sourceTypes.ts";
import { knownSpeed, type measuredSource, stepSeconds } from "./timeEstimate.ts";
import type { TrainSetup } from "./trainSetup.ts";
import { supportSet } from "./trainStore.ts";
import { useStartAdapter } from "./useStartAdapter.ts";

/** How long all steps will take, where steps like these have been taken here; else a button that takes three. */
export function TrainTime({ plan, config }: { plan: TrainingPlan; config: TrainConfig }) {
  const measured = useEngine((state) => state.measured);
  const runs = useEngine((state) => state.runs);
  const model = useEngine((state) => (state.model.kind === "open" ? state.model.facts.fingerprint : null));
  const parent = useStartAdapter();
  if (model === null) return null;
  // An adapter that is gone on with keeps its size.
  const settings = parent === null ? config : { ...config, rank: parent.rank, targets: parent.targets };
  const speed = knownSpeed(model, settings, measured, runs);
  const seconds = speed && stepSeconds(plan, config, speed);
  const from = speed?.run == null ? "measured" : `that of ${speed.run}`;
  return <Time seconds={seconds} from={from} config={config} parent={parent?.id ?? null} />;
}

interface SourceTimeProps {
  setup: TrainSetup;
  config: TrainConfig;
  measured: ReturnType<typeof measuredSource>;
}

/** The same for source corpora. */
export function SourceTime({ setup, config, measured }: SourceTimeProps) {
  const isOpen = useEngine(({ model }) => model.kind === "open");
  if (!isOpen) return null;
  return <Time seconds={measured?.seconds ?? null} from="measured" config={config} parent={null} source={setup} />;
}

interface TimeProps {
  /** Null: not known. */
  seconds: number | null;
  from: string;
  config: TrainConfig;
  parent: string | null;
  source?: TrainSetup;
}

function Time({ seconds, from, config, parent, source }: TimeProps) {
  const canMeasure = useEngine(({ gpu, job }) => gpu.kind === "ready" && job === null);
  return (
    <span className="row">
      {seconds !== null && (
        <span title={`Steps alone. Speed: ${from}.`}>
          about <span className="number">{formatSeconds(seconds)}</span>
        </span>
      )}
      <button
        className="small"
        disabled={!canMeasure}
        title="Takes three steps to tell the time of all; nothing of them is kept"
        onClick={() => void measure(config, parent, source)}
      >
        {seconds === null ? "Measure 3 steps" : "Measure"}
      </button>
    </span>
  );
}

async function measure(config: TrainConfig, parent: string | null, source: TrainSetup | undefined): Promise<void> {
  const { project } = useProject.getState();
  if (project === null) return;
  const corpora = source?.corpora.map(({ id }) => id) ?? [];
  const corpusTypes = definedTypes(source?.sourceTypes ?? []);
  const learned = { documents: supportSet(project), types: project.types, corpora, corpusTypes, next: [] };
  const request = { ...learned, name: "Three steps", heldout: [], evaluate: "never", config, parent } as const;
  await ask((client) => client.measure(request));
}
