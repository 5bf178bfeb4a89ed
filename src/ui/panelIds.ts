/** The workspaces, in the order of the rail. */
export const PANEL_IDS = ["label", "train", "inspect", "evaluate", "models"] as const;
export type PanelId = (typeof PANEL_IDS)[number];
