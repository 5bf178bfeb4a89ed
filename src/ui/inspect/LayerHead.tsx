import { useEngine } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";
import { useLayer } from "./requests.ts";

/** A layer that the URL names and the model lacks stays listed: the answer says what was expected. */
export function LayerSelect() {
  const model = useEngine((state) => state.model);
  const layer = useLayer();
  if (model.kind !== "open" || layer === null) return null;
  const { layers, contrastiveLayer } = model.facts;
  const all = Array.from({ length: layers }, (_, index) => index);
  return (
    <label className="row">
      <span className="soft">Layer</span>
      <select
        value={layer}
        title="[ and ] step through the layers"
        onChange={(event) => useView.getState().setInspect({ layer: Number(event.target.value) })}
      >
        {[...all, ...(layer < layers ? [] : [layer])].map((index) => (
          <option key={index} value={index}>
            {index === contrastiveLayer ? `${index} (contrastive loss)` : index}
          </option>
        ))}
      </select>
    </label>
  );
}

export function HeadSelect() {
  const model = useEngine((state) => state.model);
  const head = useView(({ inspect }) => inspect.head);
  if (model.kind !== "open") return null;
  const { heads } = model.facts;
  const all = Array.from({ length: heads }, (_, index) => index);
  return (
    <label className="row">
      <span className="soft">Head</span>
      <select
        value={head}
        title="{ and } step through the heads"
        onChange={({ target: { value } }) =>
          useView.getState().setInspect({ head: value === "mean" || value === "all" ? value : Number(value) })
        }
      >
        <option value="all">all {heads}, small</option>
        <option value="mean">mean of {heads}</option>
        {[...all, ...(typeof head !== "number" || head < heads ? [] : [head])].map((index) => (
          <option key={index}>{index}</option>
        ))}
      </select>
    </label>
  );
}
