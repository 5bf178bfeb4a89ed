import { useEffect, useState } from "react";
import type { ModelMemory } from "../../worker/protocol.ts";
import { Facts } from "../components/Facts.tsx";
import { Verdict } from "../components/Verdict.tsx";
import { formatCount } from "../format.ts";
import { ask, useEngine } from "../stores/engineStore.ts";
import { configProblem } from "./settings.ts";
import { definedTypes } from "./sourceTypes.ts";
import { measuredSource } from "./timeEstimate.ts";
import { SourceTime } from "./TrainTime.tsx";
import type { TrainSetup } from "./trainSetup.ts";
import { currentConfig, useTrain } from "./trainStore.ts";

/** What the corpora hold, and what training takes as far as it can be said before they are read. */
export function SourceFacts({ setup }: { setup: TrainSetup }) {
  const { corpora, sourceTypes } = setup;
  const config = useTrain(currentConfig);
  const memory = useMemory();
  const model = useEngine((state) => (state.model.kind === "open" ? state.model.facts.fingerprint : null));
  const last = useEngine((state) => state.measured);
  const ids = corpora.map(({ id }) => id);
  const measured = model === null || config === null ? null : measuredSource(model, config, ids, last);
  const steps = config?.maxSteps ?? measured?.steps ?? null;
  const sentences = sum(corpora.map((corpus) => corpus.sentences));
  const entities = sum(definedTypes(sourceTypes).map((type) => type.entities));
  return (
    <Facts
      rows={[
        ["Sentences", formatCount(sentences)],
        ["Entities of defined types", formatCount(entities)],
        [
          "Tokens in all",
          measured === null ? "known once measured" : `about ${formatCount(Math.round(measured.tokens))}`,
        ],
        ["Optimizer steps", steps === null ? "known once measured" : formatCount(steps)],
        ["Training time", config && <SourceTime key="time" setup={setup} config={config} measured={measured} />],
        ["GPU memory", memory && <Verdict key="memory" need={memory.training} />],
      ]}
    />
  );
}

/** For prompts as long as the settings allow. */
function useMemory(): ModelMemory | null {
  const config = useTrain(currentConfig);
  const open = useEngine(({ model }) => (model.kind === "open" ? model.facts.fingerprint : null));
  const gpu = useEngine((state) => state.gpu.kind);
  const [memory, setMemory] = useState<ModelMemory | null>(null);
  useEffect(() => {
    if (config === null || open === null || configProblem(config) !== null) return;
    let current = true;
    void ask((client) => client.memory(config, config.maxLength)).then((next) => current && setMemory(next));
    return () => {
      current = false;
    };
  }, [config, open, gpu]);
  return memory;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
