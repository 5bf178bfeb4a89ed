// What a format has no place for, said once for all the documents that have it.
import type { Document } from "../ner/document.ts";

const fields = {
  words: { what: "the corpus's own words", has: ({ words }) => words !== undefined },
  probability: {
    what: "probabilities of entities",
    has: ({ entities }) => entities.some(({ probability }) => probability !== undefined),
  },
  rejected: { what: "refused suggestions", has: ({ rejected = [] }) => rejected.length > 0 },
  hallucinated: { what: "hallucinated entities", has: ({ hallucinated = [] }) => hallucinated.length > 0 },
  extra: { what: "further fields of the source", has: ({ extra }) => extra !== undefined },
} as const satisfies Record<string, { what: string; has(document: Document): boolean }>;

/** One warning for each of `lost` that some document has. */
export function lostFields(documents: readonly Document[], lost: readonly (keyof typeof fields)[]): string[] {
  return lost.flatMap((name) => {
    const { what, has } = fields[name];
    const losers = documents.filter((document) => has(document));
    const [first] = losers;
    if (first === undefined) return [];
    return [`document "${first.id}"${losers.length > 1 ? ` and ${losers.length - 1} more` : ""}: ${what} are not kept`];
  });
}
