import { DrawnTools } from "./DrawnTools.tsx";
import { ExportButtons } from "./ExportButtons.tsx";
import { useInspect } from "./inspectStore.ts";
import { HeadSelect, LayerSelect } from "./LayerHead.tsx";
import { repaint } from "./requests.ts";
import { StateChoice } from "./StateChoice.tsx";

/** What is asked of the model, and how the answer is drawn. */
export function AttentionTools({ stale }: { stale: boolean }) {
  const drawn = useInspect((state) => state.drawn);
  const maps = useInspect((state) => state.attention.shown?.value.maps.length ?? 0);
  const asDrawn = { ...drawn, difference: drawn.difference && maps > 1 };
  return (
    <div className="inspect-tools">
      <StateChoice />
      <LayerSelect />
      <HeadSelect />
      <DrawnTools maps={maps} onChange={() => void repaint()} />
      <span className="grow" />
      <ExportButtons disabled={maps === 0 || stale} file={(client, format) => client.attentionFile(format, asDrawn)} />
    </div>
  );
}
