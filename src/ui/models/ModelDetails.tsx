import { useEffect, useState } from "react";
import type { MemoryNeed, ModelMemory, ModelState } from "../../worker/protocol.ts";
import { Empty } from "../components/Empty.tsx";
import { Facts } from "../components/Facts.tsx";
import { Verdict } from "../components/Verdict.tsx";
import { formatBytes, formatCount, formatParameters, formatSeconds } from "../format.ts";
import { ask, BUNDLED_MODEL_URL, useEngine } from "../stores/engineStore.ts";
import { currentConfig, useTrain } from "../train/trainStore.ts";

/** What the open model is, and whether this device can run and train it. */
export function ModelDetails() {
  const model = useEngine((state) => state.model);
  if (model.kind === "none") return <Empty title="No model is open" />;
  if (model.kind === "failed") {
    return (
      <Empty title={`${model.name} was not opened`} action={<OpenBundled />}>
        {model.message}
      </Empty>
    );
  }
  if (model.kind === "opening") {
    const { name, doneBytes, totalBytes } = model;
    return (
      <Empty title={`Opening ${name}`}>
        {totalBytes > 0 && `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`}
        <progress max={totalBytes === 0 ? undefined : totalBytes} value={totalBytes === 0 ? undefined : doneBytes} />
      </Empty>
    );
  }
  const { facts } = model;
  const types = Object.entries(facts.tensorTypes).map(([type, count]) => `${count} × ${type}`);
  return (
    <section className="model-details" aria-label="Model">
      <header className="row">
        <h1 className="grow">{facts.name}</h1>
        {!facts.cached && facts.origin === "file" && (
          <button
            onClick={() => void ask((client) => client.keepModel())}
            title="Copies the file, so that it is there after a reload"
          >
            Keep in this browser
          </button>
        )}
      </header>
      <div className="model-columns">
        <Facts
          rows={[
            [
              "File",
              <span key="file" className="mono">
                {facts.fileName}
              </span>,
            ],
            ["Size", `${formatBytes(facts.fileBytes)}, ${formatParameters(facts.parameters)} parameters`],
            ["Tensors", types.join(", ")],
            ["Architecture", `llama, ${formatCount(facts.layers)} layers`],
            ["Hidden size", formatCount(facts.hiddenSize)],
            ["Heads", `${facts.heads} of ${facts.headDim}, ${facts.kvHeads} for keys and values`],
            ["Feed-forward", formatCount(facts.feedForwardSize)],
            ["Vocabulary", `${formatCount(facts.vocabSize)}${facts.tiedEmbeddings ? ", tied to the head" : ""}`],
            ["Context", `${formatCount(facts.contextLength)} tokens`],
            ["RoPE theta", formatCount(facts.ropeTheta)],
            ["On the GPU now", onTheGpu(model)],
          ]}
        />
        <MemoryNeeds />
      </div>
    </section>
  );
}

function onTheGpu({ gpuBytes, loading, loadSeconds }: Extract<ModelState, { kind: "open" }>): string {
  if (loading !== undefined) return `on its way, ${Math.round(100 * loading)} %`;
  if (gpuBytes === 0) return "no, loaded when first needed";
  return `${formatBytes(gpuBytes)}, ready in ${formatSeconds(loadSeconds ?? NaN)}`;
}

function OpenBundled() {
  return (
    <button onClick={() => void ask((client) => client.openBundledModel(BUNDLED_MODEL_URL))}>
      Open the bundled model
    </button>
  );
}

function MemoryNeeds() {
  const fingerprint = useEngine(({ model }) => (model.kind === "open" ? model.facts.fingerprint : null));
  const gpu = useEngine((state) => state.gpu.kind);
  const config = useTrain(currentConfig);
  const [memory, setMemory] = useState<ModelMemory | null>(null);
  useEffect(() => void ask((client) => useTrain.getState().loadPresets(client)), []);
  useEffect(() => {
    if (fingerprint === null || config === null) return;
    let current = true;
    void ask((client) => client.memory(config)).then((next) => current && setMemory(next));
    return () => {
      current = false;
    };
  }, [fingerprint, config, gpu]);
  if (memory === null) return null;
  return (
    <div className="memory">
      <h2>Memory on this device, prompts of {formatCount(memory.tokens)} tokens</h2>
      <Need title="Predict" need={memory.inference} />
      <Need title="Train" need={memory.training} />
    </div>
  );
}

function Need({ title, need }: { title: string; need: MemoryNeed }) {
  return (
    <details open>
      <summary className="row">
        <strong className="grow">{title}</strong>
        <Verdict need={need} />
      </summary>
      <p className="faint">{need.reason}</p>
      <Facts
        rows={need.parts.map(({ name, bytes }) => [
          name,
          <span key={name} className="number">
            {formatBytes(bytes)}
          </span>,
        ])}
      />
    </details>
  );
}
