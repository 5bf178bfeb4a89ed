import type { GpuState } from "../../worker/protocol.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";

const WORDS: Record<GpuState["kind"], string> = {
  opening: "Opening the GPU",
  ready: "",
  unavailable: "No WebGPU",
  lost: "GPU lost",
};

export function GpuChip() {
  const gpu = useEngine((state) => state.gpu);
  const name = gpu.kind === "ready" ? gpu.report.adapterName : WORDS[gpu.kind];
  return (
    <button className={`chip ${gpu.kind}`} onClick={() => useView.getState().setOverlay("gpu")} title={`GPU: ${name}`}>
      <span className="dot" />
      <span className="ellipsis">{name}</span>
    </button>
  );
}
