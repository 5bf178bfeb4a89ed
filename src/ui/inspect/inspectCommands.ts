// Keys of Inspect.

import type { Command } from "../command.ts";
import { currentDocument } from "../label/labelStore.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";
import { useInspect } from "./inspectStore.ts";
import { INSPECT_VIEWS, VIEW_TITLES, type InspectView } from "./inspectView.ts";
import { repaint } from "./requests.ts";
import { stepEntity } from "./stepEntity.ts";

export function inspectCommands(): Command[] {
  const { model } = useEngine.getState();
  const { inspect } = useView.getState();
  const setInspect = (change: Partial<InspectView>): void => useView.getState().setInspect(change);
  const { drawn } = useInspect.getState();
  const group = "Inspect";
  const views: Command[] = INSPECT_VIEWS.map((view, index) => ({
    ...{ id: `inspect.${view}`, group, title: `Show ${VIEW_TITLES[view].toLowerCase()}`, keys: [`${index + 1}`] },
    run: () => setInspect({ view }),
  }));
  const stepInText = (by: number) => (): void => {
    const document = currentDocument();
    if (document !== null) stepEntity(document, by);
  };
  views.push(
    { id: "inspect.entity.next", group, title: "Next entity of the text", keys: ["e"], run: stepInText(1) },
    { id: "inspect.entity.previous", group, title: "Previous entity", keys: ["Shift+e"], run: stepInText(-1) },
  );
  if (model.kind !== "open") return views;
  const { layers, heads, contrastiveLayer } = model.facts;
  const layer = inspect.layer ?? contrastiveLayer;
  const step = (by: number) => (): void => setInspect({ layer: Math.max(0, Math.min(layers - 1, layer + by)) });
  // Before head 0 is the mean, and before that all heads.
  const stepHead = (by: number) => (): void => {
    const now = inspect.head === "all" ? -2 : inspect.head === "mean" ? -1 : inspect.head;
    const next = Math.max(-2, Math.min(heads - 1, now + by));
    setInspect({ head: next === -2 ? "all" : next === -1 ? "mean" : next });
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
