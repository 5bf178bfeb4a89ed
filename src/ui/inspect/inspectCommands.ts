// Keys of Inspect.

import type { Command } from "../command.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";
import { useInspect } from "./inspectStore.ts";
import type { InspectView } from "./inspectView.ts";
import { repaint } from "./requests.ts";

export function inspectCommands(): Command[] {
  const { model } = useEngine.getState();
  const { inspect } = useView.getState();
  const setInspect = (change: Partial<InspectView>): void => useView.getState().setInspect(change);
  const { drawn } = useInspect.getState();
  const group = "Inspect";
  const views: Command[] = (["attention", "space", "prompt"] as const).map((view, index) => ({
    ...{ id: `inspect.${view}`, group, title: `Show ${view}`, keys: [`${index + 1}`] },
    run: () => setInspect({ view }),
  }));
  if (model.kind !== "open") return views;
  const { layers, heads, contrastiveLayer } = model.facts;
  const layer = inspect.layer ?? contrastiveLayer;
  const step = (by: number) => (): void => setInspect({ layer: Math.max(0, Math.min(layers - 1, layer + by)) });
  // The mean is before head 0.
  const stepHead = (by: number) => (): void => {
    const next = Math.max(-1, Math.min(heads - 1, (inspect.head === "mean" ? -1 : inspect.head) + by));
    setInspect({ head: next < 0 ? "mean" : next });
  };
  const draw = (change: Partial<typeof drawn>) => (): void => {
    useInspect.setState({ drawn: { ...drawn, ...change } });
    void repaint();
  };
  const { scale, hideFirst, difference } = drawn;
  return [
    ...views,
    { id: "inspect.layer.up", group, title: "Next layer", keys: ["]"], run: step(1) },
    { id: "inspect.layer.down", group, title: "Previous layer", keys: ["["], run: step(-1) },
    ...(inspect.view !== "attention"
      ? []
      : [
          { id: "inspect.head.up", group, title: "Next head", keys: ["}"], run: stepHead(1) },
          { id: "inspect.head.down", group, title: "Previous head", keys: ["{"], run: stepHead(-1) },
          {
            ...{ id: "inspect.scale", group, title: "Linear or logarithmic scale", keys: ["s"] },
            run: draw({ scale: scale === "log" ? "linear" : "log" }),
          },
          {
            ...{ id: "inspect.first", group, title: "First token on or off the scale", keys: ["f"] },
            run: draw({ hideFirst: !hideFirst }),
          },
          {
            ...{ id: "inspect.difference", group, title: "Difference from the first state", keys: ["d"] },
            run: draw({ difference: !difference }),
          },
        ]),
  ];
}
