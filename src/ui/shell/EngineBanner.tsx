import { ask, useEngine } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";
import { Advice } from "./GpuDialog.tsx";

/** Says why the engine cannot run, what still works and what to do. Nothing is shown while all is well. */
export function EngineBanner() {
  const gpu = useEngine((state) => state.gpu);
  const panel = useView((state) => state.panel);
  if (gpu.kind === "unavailable") {
    const needsGpu = panel === "train" || panel === "inspect";
    return (
      <section className="banner warn" role="status" aria-label="No WebGPU">
        <div className="grow">
          <strong>Training and prediction need WebGPU, which this browser does not give.</strong> Labelling, import,
          export and saved results work as ever.
          {needsGpu && <Advice problem={gpu.problem} message={gpu.message} />}
        </div>
        {!needsGpu && <button onClick={() => useView.getState().setOverlay("gpu")}>Why, and what to do</button>}
        {needsGpu && <button onClick={() => void ask((client) => client.openGpu())}>Try again</button>}
      </section>
    );
  }
  if (gpu.kind === "lost") {
    return (
      <section className="banner warn" role="alert" aria-label="GPU lost">
        <div className="grow">
          <strong>The GPU was lost.</strong> {gpu.message}
        </div>
        <button className="primary" onClick={() => void ask((client) => client.openGpu())}>
          Open the GPU again
        </button>
      </section>
    );
  }
  return null;
}
