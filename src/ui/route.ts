// The URL's hash holds the workspace and the document: #/label/kitchen-train-01. The server never sees it, so that the
// studio runs from any static host.

import { PANEL_IDS, type PanelId } from "./panelIds.ts";

export interface Route {
  panel: PanelId;
  documentId: string | null;
}

export function parseRoute(hash: string): Route {
  const [panel, documentId] = hash.replace(/^#\/?/, "").split("/");
  return {
    panel: PANEL_IDS.find((id) => id === panel) ?? "label",
    documentId: documentId === undefined || documentId === "" ? null : decodeComponent(documentId),
  };
}

export function formatRoute({ panel, documentId }: Route): string {
  return documentId === null ? `#/${panel}` : `#/${panel}/${encodeURIComponent(documentId)}`;
}

/** A hash typed by hand may hold a stray percent sign. */
function decodeComponent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
