import { adapterTitle } from "../models/adapterTitle.ts";
import { useEngine } from "../stores/engineStore.ts";
import type { StudioStage } from "./settings.ts";
import { startAdapters } from "./startAdapter.ts";
import { useTrain } from "./trainStore.ts";
import { useStartAdapter } from "./useStartAdapter.ts";

const STAGES: readonly [StudioStage, string, string][] = [
  [
    "sft",
    "SFT + contrastive",
    "Fine-tunes on the support set, with the attention contrastive loss if its weight is set",
  ],
  ["dpo", "DPO", "Prefers right boundaries to wrong ones, beginning with an SFT adapter"],
];

/** The method's stages in their order; one is set up at a time. */
export function StagePipeline({ disabled }: { disabled: boolean }) {
  const stage = useTrain((state) => state.stage);
  return (
    <section className="pipeline" aria-label="Stages">
      <ol>
        <li>
          <button type="button" disabled title="Pre-training on source corpora is for the command line">
            Source
          </button>
        </li>
        {STAGES.map(([name, title, hint]) => (
          <li key={name}>
            <button
              type="button"
              aria-pressed={stage === name}
              disabled={disabled}
              title={hint}
              onClick={() => useTrain.setState({ stage: name })}
            >
              {title}
            </button>
          </li>
        ))}
      </ol>
      <p className="faint">
        Source corpora: <code>obp train --stage source</code>, then import the adapter.
      </p>
      {stage === "dpo" && <StartChoice disabled={disabled} />}
    </section>
  );
}

function StartChoice({ disabled }: { disabled: boolean }) {
  const adapters = useEngine((state) => state.adapters);
  const model = useEngine((state) => state.model);
  const chosen = useStartAdapter();
  if (chosen === null) return null;
  return (
    <label className="row start-choice">
      Begins with
      <select
        className="grow"
        disabled={disabled}
        value={chosen.id}
        onChange={(event) => useTrain.setState({ parent: event.target.value })}
      >
        {startAdapters({ adapters, model }).map((adapter) => (
          <option key={adapter.id} value={adapter.id}>
            {adapterTitle(adapter)}
          </option>
        ))}
      </select>
    </label>
  );
}
