// The URL's hash holds the workspace and the document: #/label/kitchen-train-01, and in Inspect what is looked at. The
// server never sees it, so that the studio runs from any static host.

import { formatInspect, type InspectView, parseInspect } from "./inspect/inspectView.ts";
import { PANEL_IDS, type PanelId } from "./panelIds.ts";

export interface Route {
  panel: PanelId;
  documentId: string | null;
  inspect: InspectView;
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [panel, documentId] = path.split("/");
  return {
    panel: PANEL_IDS.find((id) => id === panel) ?? "label",
    documentId: documentId === undefined || documentId === "" ? null : decodeComponent(documentId),
    inspect: parseInspect(query),
  };
}

export function formatRoute({ panel, documentId, inspect }: Route): string {
  const path = documentId === null ? `#/${panel}` : `#/${panel}/${encodeURIComponent(documentId)}`;
  return panel === "inspect" ? path + formatInspect(inspect) : path;
}

/** A hash typed by hand may hold a stray percent sign. */
function decodeComponent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
