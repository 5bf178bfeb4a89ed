// Up and down in a text that wraps: only the laid-out page knows its lines.

import { setCursor, useLabel } from "./labelStore.ts";

/** Moves the cursor to the word of the next line up or down whose middle is nearest. */
export function cursorToLine(by: -1 | 1, extend: boolean): void {
  const { anchor, head } = useLabel.getState();
  const boxes = [...document.querySelectorAll<HTMLElement>("[data-text-view] [data-word]")].map((element) => ({
    word: Number(element.dataset["word"]),
    box: element.getBoundingClientRect(),
  }));
  const current = boxes.find(({ word }) => word === head)?.box;
  if (current === undefined) return;
  const middle = current.left + current.width / 2;
  const beyond = boxes.filter(({ box }) => (by === 1 ? box.top > current.bottom - 2 : box.bottom < current.top + 2));
  const line = by === 1 ? beyond[0]?.box.top : beyond.at(-1)?.box.top;
  if (line === undefined) return;
  const distance = ({ left, width }: DOMRect): number => Math.abs(left + width / 2 - middle);
  const nearest = beyond
    .filter(({ box }) => Math.abs(box.top - line) < current.height / 2)
    .sort((a, b) => distance(a.box) - distance(b.box))[0];
  if (nearest !== undefined) setCursor(nearest.word, extend ? anchor : nearest.word);
}
