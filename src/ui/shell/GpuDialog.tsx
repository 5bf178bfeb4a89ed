import { Dialog } from "../components/Dialog.tsx";
import { Facts } from "../components/Facts.tsx";
import { formatBytes, formatCount } from "../format.ts";
import { ask, setGpuMemory, useEngine } from "../stores/engineStore.ts";
import { gpuAdvice } from "./gpuAdvice.ts";
import { GpuKernels } from "./GpuKernels.tsx";
import { missingFeatures } from "./missingFeatures.ts";

export function GpuDialog() {
  const gpu = useEngine((state) => state.gpu);
  const gpuBytes = useEngine(({ model }) => (model.kind === "open" ? model.gpuBytes : 0));
  const narrow = useEngine(({ kernels }) => kernels?.available.includes("subgroups") === false);
  if (gpu.kind !== "ready") {
    return (
      <Dialog title="GPU">
        {gpu.kind === "opening" && <p>Opening the GPU.</p>}
        {gpu.kind === "lost" && <p>{gpu.message}</p>}
        {gpu.kind === "unavailable" && <Advice problem={gpu.problem} message={gpu.message} />}
        {gpu.kind !== "opening" && (
          <footer className="row end">
            <button className="primary" onClick={() => void ask((client) => client.openGpu())}>
              Try again
            </button>
          </footer>
        )}
      </Dialog>
    );
  }
  const { adapterName, isSoftware, capacity, features, limits } = gpu.report;
  return (
    <Dialog title="GPU" wide>
      <Facts
        rows={[
          ["Adapter", adapterName],
          ["Kind", isSoftware ? "software, on the CPU: right, but slow" : "GPU"],
          ["Memory used by the model", formatBytes(gpuBytes)],
          ["Features", features.length === 0 ? "none of the optional ones" : features.join(", ")],
          ...Object.entries(limits).map(([name, value]): [string, string] => [
            name,
            /Size$/.test(name) ? formatBytes(value) : formatCount(value),
          ]),
        ]}
      />
      {missingFeatures(features, narrow).map((line) => (
        <p key={line} className="muted">
          {line}
        </p>
      ))}
      <label className="row">
        Memory the engine may take, GB
        <input
          type="number"
          className="number"
          min={0.5}
          step={0.5}
          placeholder={capacity.source === "setting" ? "" : "not known"}
          defaultValue={capacity.source === "setting" ? capacity.bytes / 1e9 : ""}
          onChange={({ target }) => setGpuMemory(target.valueAsNumber > 0 ? target.valueAsNumber * 1e9 : null)}
        />
      </label>
      <p className="muted">
        WebGPU does not tell how much memory a GPU has. With this, models and trainings are judged by it, and training
        keeps what fits. Empty: what the device tells.
      </p>
      <GpuKernels />
    </Dialog>
  );
}

export function Advice({ problem, message }: { problem: Parameters<typeof gpuAdvice>[0]; message: string }) {
  return (
    <>
      <p>{message}</p>
      <h3>What to do</h3>
      <ul className="advice">
        {gpuAdvice(problem, navigator.userAgent).map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ul>
    </>
  );
}
