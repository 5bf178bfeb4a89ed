import type { ModelState } from "../../worker/protocol.ts";
import { formatBytes } from "../format.ts";
import { fittingAdapters } from "../models/adapterFit.ts";
import { adapterTitle } from "../models/adapterTitle.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";

/** The model in use and which adapter is on; switchable from anywhere. */
export function ModelChip() {
  const model = useEngine((state) => state.model);
  const adapters = useEngine((state) => state.adapters);
  const active = useEngine((state) => state.activeAdapter);
  const fitting = fittingAdapters(adapters, model);
  return (
    <div className={`chip model ${model.kind}`}>
      <button className="quiet small" onClick={() => useView.getState().goTo("models")} title="Model">
        <span className="ellipsis">{modelLabel(model)}</span>
      </button>
      {model.kind === "open" && (
        <select
          aria-label="Adapter in use"
          title="Adapter in use"
          value={fitting.some(({ id }) => id === active) ? (active ?? "") : ""}
          onChange={(event) => {
            useEngine.getState().setActiveAdapter(event.target.value === "" ? null : event.target.value);
          }}
        >
          <option value="">base</option>
          {fitting.map((adapter) => (
            <option key={adapter.id} value={adapter.id}>
              {adapterTitle(adapter)}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

function modelLabel(model: ModelState): string {
  switch (model.kind) {
    case "none":
      return "No model";
    case "opening":
      return `Opening ${model.name} ${model.totalBytes > 0 ? formatBytes(model.doneBytes) : ""}`;
    case "open":
      return `${model.facts.name} · ${quantization(model.facts.tensorTypes)}`;
    case "failed":
      return `${model.name}: not opened`;
  }
}

/** The type that most tensors have, norms (F32) aside. */
export function quantization(tensorTypes: Record<string, number>): string {
  const weights = Object.entries(tensorTypes).filter(([type]) => type !== "F32");
  return weights.sort(([, a], [, b]) => b - a)[0]?.[0] ?? "F32";
}
