// Every action of the page, with its key: what the palette lists, the key sheet shows and the keyboard runs.

import { inspectCommands } from "./inspect/inspectCommands.ts";
import { goToPanel } from "./label/goToPanel.ts";
import { labelCommands } from "./label/labelCommands.ts";
import type { Command } from "./command.ts";
import { fittingAdapters } from "./models/adapterFit.ts";
import { adapterTitle } from "./models/adapterTitle.ts";
import { PANEL_IDS, type PanelId } from "./panelIds.ts";
import { useEngine, studio } from "./stores/engineStore.ts";
import { useProject } from "./stores/projectStore.ts";
import { useView } from "./stores/viewStore.ts";
import { startQuickTraining } from "./train/startTraining.ts";
import { loadSampleProject } from "./sampleCommands.ts";

const PANEL_TITLES: Record<PanelId, string> = {
  label: "Label",
  train: "Train",
  inspect: "Inspect",
  evaluate: "Evaluate",
  models: "Models",
};

function goCommands(): Command[] {
  return PANEL_IDS.map((id) => ({
    id: `go.${id}`,
    group: "Go to",
    title: PANEL_TITLES[id],
    keys: [`g ${id[0] ?? ""}`],
    run: () => goToPanel(id),
  }));
}

/** Undo and redo go to the document that the edit was in, so that its effect is seen. */
function step(direction: "undo" | "redo"): void {
  const change = useProject.getState()[direction]();
  const view = useView.getState();
  if (change === null) {
    view.notify("info", `Nothing to ${direction}`);
    return;
  }
  if (change.documentId !== null && view.panel === "label") view.goTo("label", change.documentId);
  view.notify("info", `${direction === "undo" ? "Undone" : "Redone"}: ${change.label}`);
}

function generalCommands(): Command[] {
  const view = useView.getState();
  const { job } = useEngine.getState();
  return [
    {
      id: "palette",
      group: "General",
      title: "Command palette",
      keys: ["Mod+k"],
      run: () => view.setOverlay("palette"),
    },
    { id: "keys", group: "General", title: "Keys of this screen", keys: ["?"], run: () => view.setOverlay("keys") },
    { id: "undo", group: "General", title: "Undo", keys: ["Mod+z", "u"], run: () => step("undo") },
    { id: "redo", group: "General", title: "Redo", keys: ["Mod+Shift+z", "Mod+y"], run: () => step("redo") },
    {
      id: "import",
      group: "Documents",
      title: "Import documents…",
      keys: ["Mod+o"],
      run: () => view.setOverlay("import"),
    },
    {
      id: "export",
      group: "Documents",
      title: "Export documents…",
      keys: ["Mod+s"],
      run: () => view.setOverlay("export"),
    },
    {
      id: "sample",
      group: "Documents",
      title: "Load the sample project",
      keys: [],
      run: () => void loadSampleProject(),
    },
    { id: "train", group: "Engine", title: "Train (quick preset)", keys: [], run: () => void startQuickTraining() },
    ...(job === null
      ? []
      : [{ id: "stop", group: "Engine", title: `Stop: ${job.name}`, keys: [], run: () => void studio().stop() }]),
    { id: "gpu", group: "Engine", title: "GPU details", keys: [], run: () => view.setOverlay("gpu") },
    { id: "theme.light", group: "View", title: "Light", keys: [], run: () => view.setTheme("light") },
    { id: "theme.dark", group: "View", title: "Dark", keys: [], run: () => view.setTheme("dark") },
    {
      id: "theme.system",
      group: "View",
      title: "Light or dark as the system",
      keys: [],
      run: () => view.setTheme("system"),
    },
  ];
}

/** The states of the model that can be switched to: as it came, or with an adapter that fits it. */
function adapterCommands(): Command[] {
  const engine = useEngine.getState();
  const choices = [
    { id: null, title: "the base model" },
    ...fittingAdapters(engine.adapters, engine.model).map((adapter) => ({
      id: adapter.id,
      title: adapterTitle(adapter),
    })),
  ];
  return choices
    .filter(({ id }) => id !== engine.activeAdapter)
    .map(({ id, title }) => ({
      ...{ id: `use.${id ?? "base"}`, group: "Model", title: `Use ${title}`, keys: [] },
      run: () => engine.setActiveAdapter(id),
    }));
}

/** The commands that can run now: general ones, and those of the workspace on screen. */
export function commands(): Command[] {
  const { panel } = useView.getState();
  const own = panel === "label" ? labelCommands() : panel === "inspect" ? inspectCommands() : [];
  return [...own, ...goCommands(), ...generalCommands(), ...adapterCommands()];
}

/** Runs one of them by its id, as a button does. */
export function runCommand(id: string): void {
  commands()
    .find((command) => command.id === id)
    ?.run();
}
