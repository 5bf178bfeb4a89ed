import { ExportButtons } from "../inspect/ExportButtons.tsx";
import { useInspect, type SpaceSettings } from "../inspect/inspectStore.ts";
import { LayerSelect } from "../inspect/LayerHead.tsx";
import { StateChoice } from "../inspect/StateChoice.tsx";

function change(patch: Partial<SpaceSettings>): void {
  useInspect.setState(({ spaceSettings }) => ({ spaceSettings: { ...spaceSettings, ...patch } }));
}

/** What is laid out, and how. */
export function SpaceTools({ canSave, fitting }: { canSave: boolean; fitting: number | null }) {
  const settings = useInspect((state) => state.spaceSettings);
  const tsne = settings.method === "tsne";
  return (
    <div className="inspect-tools">
      <StateChoice />
      <LayerSelect />
      <label className="row">
        <span className="soft">Vectors</span>
        <select
          value={settings.representation}
          onChange={({ target }) => change({ representation: target.value === "hidden" ? "hidden" : "key" })}
        >
          <option value="key">keys (contrastive loss)</option>
          <option value="hidden">hidden states</option>
        </select>
      </label>
      <div className="segmented" role="group" aria-label="Method">
        <button aria-pressed={tsne} onClick={() => change({ method: "tsne" })}>
          t-SNE
        </button>
        <button aria-pressed={!tsne} onClick={() => change({ method: "pca" })}>
          PCA
        </button>
      </div>
      {tsne && (
        <>
          <label className="row" title="Neighbours that count; empty: what suits the number of points">
            <span className="soft">Perplexity</span>
            <input
              type="number"
              min={1}
              step="any"
              placeholder={fitting === null ? "auto" : `${fitting}`}
              value={settings.perplexity}
              onChange={({ target }) => change({ perplexity: target.value })}
            />
          </label>
          <label className="row">
            <span className="soft">Iterations</span>
            <input
              type="number"
              min={1}
              step={50}
              value={settings.iterations}
              onChange={({ target }) => change({ iterations: target.valueAsNumber || 1 })}
            />
          </label>
          <label className="row">
            <span className="soft">Start</span>
            <select
              value={settings.start}
              onChange={({ target }) => change({ start: target.value === "random" ? "random" : "pca" })}
            >
              <option value="pca">PCA</option>
              <option value="random">random</option>
            </select>
          </label>
        </>
      )}
      <label className="row" title="Of a random start, and of the sample where there are more than 5 000 entities">
        <span className="soft">Seed</span>
        <input
          type="number"
          min={0}
          value={settings.seed}
          onChange={({ target }) => change({ seed: Math.max(0, Math.trunc(target.valueAsNumber || 0)) })}
        />
      </label>
      <span className="grow" />
      <ExportButtons disabled={!canSave} file={(client, format) => client.spaceFile(format)} />
    </div>
  );
}
