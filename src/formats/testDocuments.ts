// Seeded random documents for the property tests of formats.
import type { Document, Entity } from "../ner/document.ts";

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Emoji with joiners, CJK, right-to-left, combining accents, other spaces, what files use as separators, a byte-order mark.
const CHARACTERS = [
  "a",
  "B",
  "é",
  "e\u0301",
  "ß",
  "界",
  "の",
  "ก",
  "س",
  "ל",
  "🚢",
  "👩‍👩‍👧",
  "🇳🇴",
  "𝔘",
  "1",
  "#",
  "-",
  "'",
  '"',
  ".",
  ",",
  "\\",
  "=",
  "\u00a0",
  "\u200b",
  "\ufeff",
  "\u2028",
];
const SPACES = [" ", " ", " ", "  ", "\t", "\u3000"];
const TYPES = ["person", "place name", "art-film", "人"];

/** A document whose entities lie at characters, overlapping where `overlapping`; with corpus words every other time. */
export function randomDocument(seed: number, { overlapping = false } = {}): Document {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[], fallback: T): T => list[Math.floor(random() * list.length)] ?? fallback;
  const pieces = Array.from({ length: Math.floor(random() * 40) }, () =>
    random() < 0.25 ? pick(SPACES, " ") : pick(CHARACTERS, "a"),
  );
  const text = pieces.join("");
  const edges = [0, ...pieces.map((_, index) => pieces.slice(0, index + 1).join("").length)];
  const entities: Entity[] = [];
  for (let from = 0; from < pieces.length; from += 1 + Math.floor(random() * 6)) {
    const to = from + 1 + Math.floor(random() * 4);
    const [start = 0, end = text.length] = [edges[from], edges[to]];
    const span = text.slice(start, end);
    const last = entities.at(-1);
    const isNew = !entities.some((entity) => entity.start === start && entity.end === end);
    if (span !== span.trim() || !isNew || (!overlapping && last !== undefined && start < last.end)) continue;
    entities.push({ start, end, type: pick(TYPES, "person") });
  }
  const document: Document = { id: `d${seed}`, text, entities };
  if (random() < 0.5)
    document.words = Array.from(text.matchAll(/\S+/g), ({ index, 0: word }) => [index, index + word.length]);
  return document;
}
