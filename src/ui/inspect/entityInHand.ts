// The entity in hand in an attention map: the rows that name it and the columns that are it; and the way back.

import { useEffect } from "react";
import type { AttentionView, EntityTokens } from "../../worker/protocol.ts";
import { useView } from "../stores/viewStore.ts";
import { useInspect } from "./inspectStore.ts";

/** Null where none is in hand, or one of another document or type. */
export function useEntityInHand(view: AttentionView): EntityTokens | null {
  const document = useView((state) => state.documentId);
  const type = useView(({ inspect }) => inspect.type);
  const span = useView(({ inspect }) => inspect.span);
  if (span === null || document !== view.document || type !== view.type) return null;
  return view.entities.find(({ start, end }) => start === span.start && end === span.end) ?? null;
}

/** What is taken in hand elsewhere is locked in the map: the first token that names it, on its own first token. */
export function useLockedEntity(entity: EntityTokens | null): void {
  useEffect(() => {
    if (entity === null) return;
    const { cell } = useInspect.getState();
    const held = cell?.locked === true && (entity.rows.includes(cell.row) || entity.columns.includes(cell.column));
    const [row = 0] = entity.rows;
    const [column = 0] = entity.columns;
    if (!held) useInspect.setState({ cell: { row, column, locked: true } });
  }, [entity]);
}

/** Takes it in hand everywhere. */
export function chooseEntity({ document, type }: AttentionView, { start, end }: EntityTokens): void {
  useView.getState().selectSpan(document, { start, end, type });
}
