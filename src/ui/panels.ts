// The workspaces: a panel file exports {id, title, Component}; a new one is a line here and its id in panelIds.ts.

import type { ComponentType } from "react";
import type { PanelId } from "./panelIds.ts";
import { evaluatePanel } from "./panels/EvaluatePanel.tsx";
import { inspectPanel } from "./panels/InspectPanel.tsx";
import { labelPanel } from "./panels/LabelPanel.tsx";
import { modelsPanel } from "./panels/ModelsPanel.tsx";
import { trainPanel } from "./panels/TrainPanel.tsx";

export const PANELS: Record<PanelId, { title: string; Component: ComponentType }> = {
  label: labelPanel,
  train: trainPanel,
  inspect: inspectPanel,
  evaluate: evaluatePanel,
  models: modelsPanel,
};
