// From a point on the screen to a word or a character of the text.

/** The word under the point; between words and beside lines, the nearest one of that line. */
export function wordAt(target: EventTarget | null, x: number, y: number, view: HTMLElement | null): number | null {
  if (target instanceof Element) {
    const hit = target.closest<HTMLElement>("[data-word]");
    if (hit !== null) return Number(hit.dataset["word"]);
  }
  let best: { word: number; distance: number } | null = null;
  for (const element of view?.querySelectorAll<HTMLElement>("[data-word]") ?? []) {
    for (const box of element.getClientRects()) {
      const dx = Math.max(box.left - x, 0, x - box.right);
      const dy = Math.max(box.top - y, 0, y - box.bottom);
      // Lines lie far apart: the distance down counts more than the distance along the line.
      const distance = dx + 8 * dy;
      if (best === null || distance < best.distance) best = { word: Number(element.dataset["word"]), distance };
    }
  }
  return best?.word ?? null;
}

/** UTF-16 offset into the text of the character edge nearest to the point. */
export function characterAt(x: number, y: number): number | null {
  const caret = document.caretPositionFromPoint(x, y);
  const piece = caret?.offsetNode.parentElement?.closest<HTMLElement>("[data-start]");
  if (caret === null || piece === null || piece === undefined) return null;
  return Number(piece.dataset["start"]) + caret.offset;
}
