import type { AttentionDrawn } from "../../worker/protocol.ts";
import { ExportButtons } from "./ExportButtons.tsx";
import { useInspect } from "./inspectStore.ts";
import { HeadSelect, LayerSelect } from "./LayerHead.tsx";
import { repaint } from "./requests.ts";
import { StateChoice } from "./StateChoice.tsx";

function drawAnew(change: Partial<AttentionDrawn>): void {
  useInspect.setState(({ drawn }) => ({ drawn: { ...drawn, ...change } }));
  void repaint();
}

/** What is asked of the model, and how the answer is drawn. */
export function AttentionTools({ stale }: { stale: boolean }) {
  const drawn = useInspect((state) => state.drawn);
  const readable = useInspect((state) => state.readable);
  const maps = useInspect((state) => state.attention.shown?.value.maps.length ?? 0);
  const asDrawn = { ...drawn, difference: drawn.difference && maps > 1 };
  return (
    <div className="inspect-tools">
      <StateChoice />
      <LayerSelect />
      <HeadSelect />
      <div className="segmented" role="group" aria-label="Scale">
        {(["linear", "log"] as const).map((scale) => (
          <button key={scale} aria-pressed={drawn.scale === scale} onClick={() => drawAnew({ scale })}>
            {scale === "linear" ? "Linear" : "Log"}
          </button>
        ))}
      </div>
      <label
        className="row"
        title="The first token draws most attention in many models: without it the rest is told apart"
      >
        <input
          type="checkbox"
          checked={drawn.hideFirst}
          onChange={({ target }) => drawAnew({ hideFirst: target.checked })}
        />
        First token off the scale
      </label>
      <label className="row" title={maps > 1 ? "What each state adds to the first" : "Needs two states"}>
        <input
          type="checkbox"
          disabled={maps < 2}
          checked={asDrawn.difference}
          onChange={({ target }) => drawAnew({ difference: target.checked })}
        />
        Difference
      </label>
      <div className="segmented" role="group" aria-label="Size">
        <button aria-pressed={!readable} onClick={() => useInspect.setState({ readable: false })}>
          Fit
        </button>
        <button aria-pressed={readable} onClick={() => useInspect.setState({ readable: true })}>
          Readable
        </button>
      </div>
      <span className="grow" />
      <ExportButtons disabled={maps === 0 || stale} file={(client, format) => client.attentionFile(format, asDrawn)} />
    </div>
  );
}
