// What obp attention is asked: flags, and the prompt, adapters and entities that they name.
import { MOST_ADAPTERS } from "../inspect/attentionFigure.ts";
import type { HeadChoice } from "../inspect/attentionMap.ts";
import { type MapPrompt, mapPrompt } from "../inspect/mapPrompt.ts";
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import type { Entity, EntityType } from "../ner/document.ts";
import { nearMiss } from "../ner/nearMiss.ts";
import { parseResponse } from "../ner/parseResponse.ts";
import { CLOSE, OPEN } from "../ner/prompt.ts";
import { segmentWords } from "../ner/words.ts";
import { predictDocuments } from "../predict/predict.ts";
import type { Context } from "./context.ts";
import { readTypes } from "./documents.ts";
import { UsageError } from "./errors.ts";
import { BASE, figureFlags, namedAdapters, type NamedAdapter } from "./figure.ts";
import type { OpenedModel } from "./loadModel.ts";
import { modelFlag } from "./openModel.ts";
import type { Flag, FlagValues } from "./verb.ts";

export const attentionFlags = {
  model: modelFlag,
  adapter: {
    kind: "text",
    value: "FOLDER|base",
    multiple: true,
    help: "LoRA adapters, PEFT folders; up to three, base is the model without (default)",
  },
  text: { kind: "text", value: "S", required: true, help: "the sentence" },
  type: { kind: "text", value: "T", required: true, help: "the type of entity that is asked for" },
  types: { kind: "text", value: "TYPES.json", help: "what the type refers to (default: its own name)" },
  gold: { kind: "text", value: "E", multiple: true, help: "gold entities, each at its leftmost free place" },
  response: {
    kind: "text",
    value: "R",
    help: "the response, word for word (default: the gold one, without --gold the first adapter's own)",
  },
  layer: { kind: "integer", value: "N", min: 0, help: "from 0 (default: that of the contrastive loss, 26 of 32)" },
  head: { kind: "text", value: "H|mean|all", help: "one head, the mean, or each by itself (default mean)" },
  overview: { kind: "switch", help: "instead: attention on the entities in all layers and heads" },
  contrastive: {
    kind: "switch",
    help: "also: cosines of the type with the entities and their neighbours, and the losses; pictures and CSV are of these",
  },
  scale: { kind: "choice", choices: ["linear", "log"], fallback: "linear", help: "of the colours" },
  "hide-first": { kind: "switch", help: "leave the first token out of the colour scale" },
  difference: { kind: "switch", help: "show what each adapter adds to the first" },
  ...figureFlags,
} as const satisfies Record<string, Flag>;
export type AttentionAsked = FlagValues<typeof attentionFlags>;

export function promptOf(
  { tokenizer, config }: OpenedModel,
  given: AttentionAsked,
  type: EntityType,
  gold: readonly Entity[] | null,
  answer: string | null,
): MapPrompt {
  const { contextLength } = config;
  const response = given.response ?? answer;
  return mapPrompt(tokenizer, { document: { text: given.text }, type, gold, response, contextLength });
}

/** What the model itself answers, with the adapter. */
export async function ownAnswer(
  llama: Llama,
  { tokenizer, config }: OpenedModel,
  given: AttentionAsked,
  type: EntityType,
  adapter: NamedAdapter | undefined,
  { signal }: Context,
): Promise<string> {
  const weights = adapter?.weights ?? null;
  const lora = weights === null ? null : Lora.fromWeights(llama, weights);
  const document = { id: "sentence", text: given.text, entities: [] };
  for await (const { responses, leftOut } of predictDocuments(llama, lora, tokenizer, [document], [type], {
    mode: "span",
    signal,
  })) {
    lora?.destroy();
    const [answer] = responses;
    if (answer !== undefined) return answer.text;
    throw new Error(
      `expected prompt and response within the model's context of ${config.contextLength} tokens, got ${leftOut[0]?.tokens} (shorten the sentence)`,
    );
  }
  throw new Error("expected an answer of the model, got none (report this)");
}

export function headOf(text = "mean"): HeadChoice {
  if (text === "mean" || text === "all") return text;
  if (!/^\d+$/.test(text)) {
    throw new UsageError(`expected --head to be a whole number, mean or all, got ${text}`);
  }
  return Number(text);
}

export function typeOf({ type, types }: AttentionAsked): EntityType {
  if (types === undefined) return { name: type, definition: type };
  const all = readTypes(types);
  const found = all.find(({ name }) => name === type);
  if (found === undefined) {
    const names = all.map(({ name }) => name);
    throw new Error(`expected a type of ${types} (${names.join(", ")}), got ${type}${nearMiss(type, names)}`);
  }
  return found;
}

/** The strings placed in the sentence, as a response that names them would be. */
export function goldEntities({ gold, text }: AttentionAsked, type: EntityType): Entity[] {
  const named = gold.map((entity) => `${OPEN} ${entity}${CLOSE}`).join("");
  const { spans, hallucinated } = parseResponse(named, text, segmentWords({ text }));
  if (hallucinated.length > 0) {
    throw new Error(
      `expected gold entities that stand in the sentence, got ${JSON.stringify(hallucinated[0])} (or given too often)`,
    );
  }
  return spans.map(([start, end]) => ({ start, end, type: type.name }));
}

export function readAdapters({ adapter, difference }: AttentionAsked): NamedAdapter[] {
  const named = namedAdapters(adapter, MOST_ADAPTERS);
  if (difference && named.length < 2) {
    throw new UsageError(
      `expected two --adapter for their difference, got ${named.length} (${BASE} is the model without)`,
    );
  }
  return named;
}
