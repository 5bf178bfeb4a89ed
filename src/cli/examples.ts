// Documents × types → training prompts; those that do not fit the context are named.
import type { Document, EntityType } from "../ner/document.ts";
import type { Pooling } from "../train/contrastiveRows.ts";
import { buildExamples, type TooLong, type TrainExample } from "../train/examples.ts";
import { noteUnusedTypes } from "./documents.ts";
import type { OpenedModel } from "./loadModel.ts";

/**
 * @param pooling of the attention contrastive loss; null where it is off
 * @throws Error where no prompt is left
 */
export function examplesOf(
  { tokenizer, config }: OpenedModel,
  documents: readonly Document[],
  types: readonly EntityType[],
  note: (line: string) => void,
  pooling: Pooling | null = null,
): { examples: TrainExample[]; leftOut: TooLong[] } {
  noteUnusedTypes(documents, types, note);
  const { examples, tooLong } = buildExamples(tokenizer, documents, types, config.contextLength, pooling);
  for (const { name, tokens } of tooLong) {
    note(`left out: ${name}: ${tokens} tokens do not fit the model's context of ${config.contextLength}`);
  }
  if (examples.length === 0) {
    const got = tooLong.length === 0 ? "no sentence" : `only ${tooLong.length} that do not fit the context`;
    throw new Error(`expected at least one prompt to learn from, got ${got} (give at least one sentence)`);
  }
  return { examples, leftOut: tooLong };
}
