import type { GpuState } from "../../worker/protocol.ts";
import { useEngine } from "../stores/engineStore.ts";
import { formatBytes } from "../format.ts";
import { useView } from "../stores/viewStore.ts";

const WORDS: Record<GpuState["kind"], string> = {
  opening: "Opening the GPU",
  ready: "",
  unavailable: "No WebGPU",
  lost: "GPU lost",
};

export function GpuChip() {
  const gpu = useEngine((state) => state.gpu);
  const used = useEngine(({ model }) => (model.kind === "open" ? model.gpuBytes : 0));
  const name = gpu.kind === "ready" ? gpu.report.adapterName : WORDS[gpu.kind];
  return (
    <button className={`chip ${gpu.kind}`} onClick={() => useView.getState().setOverlay("gpu")} title={`GPU: ${name}`}>
      <span className="dot" />
      <span className="ellipsis">{name}</span>
      {used > 0 && <span className="number faint">{formatBytes(used)}</span>}
    </button>
  );
}
