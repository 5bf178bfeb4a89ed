import type { AttentionDrawn } from "../../worker/protocol.ts";
import { useInspect } from "./inspectStore.ts";

/** How maps are drawn. @param maps that can be compared @param onChange after a change, to draw anew */
export function DrawnTools({ maps, onChange }: { maps: number; onChange: () => void }) {
  const drawn = useInspect((state) => state.drawn);
  const readable = useInspect((state) => state.readable);
  const drawAnew = (change: Partial<AttentionDrawn>): void => {
    useInspect.setState({ drawn: { ...drawn, ...change } });
    onChange();
  };
  return (
    <>
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
          checked={drawn.difference && maps > 1}
          onChange={({ target }) => drawAnew({ difference: target.checked })}
        />
        Difference
      </label>
      <div className="segmented" role="group" aria-label="Size" title="Ctrl and the wheel, or + and −, zoom">
        <button aria-pressed={!readable} onClick={() => useInspect.setState({ readable: false, zoom: 1 })}>
          Fit
        </button>
        <button aria-pressed={readable} onClick={() => useInspect.setState({ readable: true, zoom: 1 })}>
          Readable
        </button>
      </div>
    </>
  );
}
