// Which corpora are learned from, and their types, each with the words that its prompts use. Pure.

import type { EntityType } from "../../ner/document.ts";
import type { CorpusRecord } from "../../storage/database.ts";

export interface SourceType extends EntityType {
  /** In all of the corpora. */
  entities: number;
}

/** Those that are learned from: put in, and not about to be deleted. */
export function chosenCorpora(
  corpora: readonly CorpusRecord[],
  { leftOut, deleted }: { leftOut: readonly string[]; deleted: CorpusRecord | null },
): CorpusRecord[] {
  return corpora.filter(({ id }) => id !== deleted?.id && !leftOut.includes(id));
}

/**
 * The types of some corpora, in the order of their first mention.
 * @param definitions written for source corpora; a type without one takes that of the project's type of its name
 */
export function sourceTypes(
  corpora: readonly CorpusRecord[],
  definitions: Readonly<Record<string, string>>,
  projectTypes: readonly EntityType[],
): SourceType[] {
  const counts = new Map<string, number>();
  for (const { name, entities } of corpora.flatMap(({ types }) => types)) {
    counts.set(name, (counts.get(name) ?? 0) + entities);
  }
  const known = new Map(projectTypes.map(({ name, definition }) => [name, definition]));
  return [...counts].map(([name, entities]) => {
    const own = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    return { name, definition: own ?? known.get(name) ?? "", entities };
  });
}

/** Those that are learned: the prompt quotes the definition. */
export function definedTypes(types: readonly SourceType[]): SourceType[] {
  return types.filter(({ definition }) => definition.trim() !== "");
}
