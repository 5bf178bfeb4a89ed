import { compareEntities, type Document } from "../../ner/document.ts";
import { useView } from "../stores/viewStore.ts";

/** Takes a document's next entity in hand, in the order of its text, or the one before; from none, the first. */
export function stepEntity(document: Pick<Document, "id" | "entities">, by: number): void {
  const view = useView.getState();
  const { type, span } = view.inspect;
  const entities = [...document.entities].sort(compareEntities);
  const at =
    view.documentId === document.id
      ? entities.findIndex((one) => one.start === span?.start && one.end === span.end && one.type === type)
      : -1;
  const next = entities[at < 0 ? 0 : (at + by + entities.length) % entities.length];
  if (next !== undefined) view.selectSpan(document.id, next);
}
