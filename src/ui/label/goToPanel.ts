// Going from one workspace to another takes the entity in hand along, where both know one.

import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import type { PanelId } from "../panelIds.ts";
import { sameEntity } from "./edits.ts";
import { currentDocument, pick, useLabel } from "./labelStore.ts";

/** What the rail and the keys do: the entity in hand under Inspect is picked under Label, and the other way round. */
export function goToPanel(panel: PanelId): void {
  const view = useView.getState();
  if (view.panel === "label" && panel === "inspect") {
    const { picked } = useLabel.getState();
    const document = currentDocument();
    // A suggestion is none of the document's entities: Inspect knows those alone.
    const entity = document?.entities.find((one) => picked !== null && sameEntity(one, picked));
    if (document !== null && entity !== undefined) {
      view.selectSpan(document.id, entity);
      return;
    }
  }
  view.goTo(panel);
  if (view.panel === "inspect" && panel === "label" && view.documentId !== null) pickSpanInHand(view.documentId);
}

/** Picks the entity in hand under Inspect under Label, if it is one of the document's. */
export function pickSpanInHand(documentId: string): void {
  const { type, span } = useView.getState().inspect;
  const document = useProject.getState().project?.documents.find(({ id }) => id === documentId);
  if (document === undefined || type === null || span === null) return;
  const entity = document.entities.find((one) => sameEntity(one, { ...span, type }));
  if (entity !== undefined) pick(document, entity);
}
