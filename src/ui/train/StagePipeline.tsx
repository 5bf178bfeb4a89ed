import type { TrainConfig } from "../../worker/protocol.ts";
import { plural } from "../format.ts";
import { adapterTitle } from "../models/adapterTitle.ts";
import { useEngine } from "../stores/engineStore.ts";
import { type Stage, STAGE_TITLES, STAGES } from "./settings.ts";
import { startAdapters } from "./startAdapter.ts";
import { configOf, stageBefore, useTrain } from "./trainStore.ts";
import { useStartAdapter } from "./useStartAdapter.ts";

const HINTS: Readonly<Record<Stage, string>> = {
  source: "Pre-trains on labelled corpora of other domains",
  sft: "Fine-tunes on the support set, with the attention contrastive loss if its weight is set",
  dpo: "Prefers right boundaries to wrong ones, beginning with an SFT adapter",
};

/** The method's stages in their order: which are trained, and whose settings are shown. */
export function StagePipeline({ disabled }: { disabled: boolean }) {
  const state = useTrain();
  return (
    <section className="pipeline" aria-label="Stages">
      <ol>
        {STAGES.map((stage) => (
          <li key={stage} className={state.on[stage] ? "on" : ""}>
            <input
              type="checkbox"
              aria-label={`Include ${STAGE_TITLES[stage]}`}
              title={state.on[stage] ? "Trained; click to leave out" : "Left out; click to train"}
              checked={state.on[stage]}
              disabled={disabled}
              onChange={({ target }) => state.include(stage, target.checked)}
            />
            <button
              type="button"
              aria-label={STAGE_TITLES[stage]}
              aria-pressed={state.stage === stage}
              disabled={disabled}
              title={HINTS[stage]}
              onClick={() => useTrain.setState({ stage })}
            >
              <span className="grow">{STAGE_TITLES[stage]}</span>
              <span className="number faint">{stageText(configOf(state, stage))}</span>
            </button>
          </li>
        ))}
      </ol>
      <Start disabled={disabled} />
    </section>
  );
}

/** What sets a stage apart at a glance. */
function stageText(config: TrainConfig | null): string {
  if (config === null) return "";
  const length = config.maxSteps === null ? plural(config.epochs, "epoch") : plural(config.maxSteps, "step");
  const weight =
    config.stage === "dpo"
      ? ` · β ${config.beta}`
      : config.contrastiveWeight > 0
        ? ` · λ ${config.contrastiveWeight}`
        : "";
  return `${length}${weight}`;
}

/** What the stage on show begins with. */
function Start({ disabled }: { disabled: boolean }) {
  const stage = useTrain((state) => state.stage);
  const isOn = useTrain((state) => state.on[state.stage]);
  const before = useTrain((state) => stageBefore(state, state.stage));
  const adapters = useEngine((state) => state.adapters);
  const model = useEngine((state) => state.model);
  const chosen = useStartAdapter();
  if (!isOn) return <p className="faint">{STAGE_TITLES[stage]} is off: these settings are for when it is put on.</p>;
  if (before !== null) return <p className="faint">Begins with the adapter that {STAGE_TITLES[before]} makes.</p>;
  const choices = startAdapters(stage, { adapters, model });
  if (stage === "source" || choices.length === 0) return null;
  return (
    <label className="row start-choice">
      Begins with
      <select
        className="grow"
        disabled={disabled}
        value={chosen?.id ?? ""}
        onChange={({ target }) =>
          useTrain.setState(({ parents }) => ({
            parents: { ...parents, [stage]: target.value === "" ? null : target.value },
          }))
        }
      >
        {stage === "sft" && <option value="">a fresh adapter</option>}
        {choices.map((adapter) => (
          <option key={adapter.id} value={adapter.id}>
            {adapterTitle(adapter)}
          </option>
        ))}
      </select>
    </label>
  );
}
