/**
 * Entity representations of a model: one vector a gold entity, read in the prompt of its sentence and type. Prompts share
 * passes, and the instruction that they begin with runs once in each.
 *   key     e^K of the attention contrastive loss (OBP-LLM, 3.3; method.md, stage 2): the outputs of k_proj, LoRA
 *           included, before RoPE, mean over the entity's tokens in the sentence and over the key heads
 *   hidden  the residual stream after a layer, mean over the entity's tokens
 * Both have length 1.
 */
import { contrastivePool } from "../kernels/contrastive.ts";
import { pcg } from "../kernels/random.ref.ts";
import { forward, type Pass, PLAIN_PASS, type QueryKeyReader, writeTokens } from "../model/forward.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { Workspace } from "../model/workspace.ts";
import type { Document, EntityType } from "../ner/document.ts";
import { encodePrompt, type PromptTokenizer } from "../ner/prompt.ts";
import { rowsOver } from "../train/contrastiveRows.ts";
import { PACK_TOKENS, packExamples } from "../train/packing.ts";
import { PassBuffers } from "../train/passBuffers.ts";
import { checkLayerAndHead } from "./attentionMap.ts";
import { normalized, type Vectors } from "./vectors.ts";

export const REPRESENTATIONS = ["key", "hidden"] as const;
export type Representation = (typeof REPRESENTATIONS)[number];

/** A gold entity; UTF-16 offsets in its document. */
export interface EntitySpan {
  readonly document: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly type: string;
}

/** Which entities are read, and the prompts that they are read in. */
export interface SpanPlan {
  /** In the order of types, documents and their entities: that of the vectors. */
  readonly spans: readonly EntitySpan[];
  readonly prompts: readonly SpanPrompt[];
  /** Entities of the given types in all documents, before a sample was drawn. */
  readonly found: number;
  /** Prompts over the context, whose entities are left out. */
  readonly tooLong: readonly { readonly name: string; readonly tokens: number }[];
}

interface SpanPrompt {
  readonly ids: readonly number[];
  /** Of each of its spans the token indices. */
  readonly rows: readonly (readonly number[])[];
  /** Index of the first of its spans. */
  readonly first: number;
}

export interface PlanOptions {
  readonly contextLength: number;
  /** Most entities; of more a sample is drawn. */
  readonly limit: number;
  /** Of the sample. */
  readonly seed: number;
}

/** @throws Error where an entity has no token */
export function planSpans(
  tokenizer: PromptTokenizer,
  documents: readonly Document[],
  types: readonly EntityType[],
  { contextLength, limit, seed }: PlanOptions,
): SpanPlan {
  const asked = types.flatMap((type) =>
    documents.flatMap((document) => {
      const entities = document.entities.filter((entity) => entity.type === type.name);
      return entities.map((entity) => ({ document, type, entity }));
    }),
  );
  const chosen = sample(asked.length, limit, seed).map((index) => asked[index] as (typeof asked)[number]);
  const spans: EntitySpan[] = [];
  const prompts: SpanPrompt[] = [];
  const tooLong: { name: string; tokens: number }[] = [];
  for (let at = 0; at < chosen.length;) {
    const { document, type } = chosen[at] as (typeof asked)[number];
    let end = at;
    while (chosen[end]?.document === document && chosen[end]?.type === type) end++;
    const group = chosen.slice(at, end);
    at = end;
    const { ids, offsets, sentence } = encodePrompt(tokenizer, document.text, type, null);
    const name = `${document.id} / ${type.name}`;
    if (ids.length > contextLength) {
      tooLong.push({ name, tokens: ids.length });
      continue;
    }
    const rows = group.map(({ entity }) => {
      const own = rowsOver(offsets, sentence[0] + entity.start, sentence[0] + entity.end);
      if (own.length === 0) {
        throw new Error(
          `expected tokens under the entity at ${entity.start}–${entity.end} of ${name}, got none (correct its offsets)`,
        );
      }
      return own;
    });
    prompts.push({ ids, rows, first: spans.length });
    for (const { entity } of group) {
      const { start, end: last } = entity;
      const text = document.text.slice(start, last);
      spans.push({ document: document.id, start, end: last, text, type: type.name });
    }
  }
  return { spans, prompts, found: asked.length, tooLong };
}

/** `limit` of the numbers below `count`, in order; all where there are no more. */
function sample(count: number, limit: number, seed: number): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i);
  if (count <= limit) {
    return numbers;
  }
  for (let i = 0; i < limit; i++) {
    const j = i + (pcg((pcg(seed >>> 0) + i) >>> 0) % (count - i));
    [numbers[i], numbers[j]] = [numbers[j] ?? 0, numbers[i] ?? 0];
  }
  return numbers.slice(0, limit).sort((a, b) => a - b);
}

export interface GatherOptions {
  /** Looked at before each layer of a pass. */
  readonly signal?: AbortSignal;
  /** Hears prompts done and in all; a pass through some of the layers counts as some of its prompts. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * @returns the plan's entities in its order, D numbers each (key: the head size; hidden: the hidden size), length 1
 * @throws Error where the model has no such layer; AbortError when stopped
 */
export async function gatherRepresentations(
  llama: Llama,
  lora: Lora | null,
  { spans, prompts }: SpanPlan,
  { layer, representation }: { readonly layer: number; readonly representation: Representation },
  { signal, onProgress }: GatherOptions = {},
): Promise<Vectors> {
  const { queue, config } = llama;
  checkLayerAndHead(config, layer, "mean");
  const D = representation === "key" ? config.headDim : config.hiddenSize;
  const packs = packExamples(prompts, ({ ids }) => [ids], PACK_TOKENS);
  const longest = packs.reduce((most, { ids }) => Math.max(most, ids.length), 1);
  await queue.pipelines.prepare(contrastivePool);
  const buffers = new PassBuffers(queue, "representations");
  const workspace = new Workspace(llama, longest, lora?.R ?? 4, "inference");
  try {
    const e = buffers.buffer("vectors", spans.length * D);
    const layers = Array.from({ length: layer + 1 }, (_, at) => at);
    let done = 0;
    for (const { examples, ids, tree, rows } of packs) {
      const spanRows = examples.flatMap((prompt, i) =>
        prompt.rows.map((tokens) => tokens.map((token) => rows[i]?.[0]?.[token] ?? NaN)),
      );
      const lists = buffers.lists("spans", spanRows);
      const of = { D, first: examples[0]?.first ?? 0, rows: spanRows.length, weight: 0 };
      const pool = (x: GPUBuffer, heads: number): void =>
        queue.dispatch(contrastivePool, { x, ...lists, e }, { ...of, heads });
      const before = done;
      const queryKeys: QueryKeyReader = {
        ...{ layers, rope: "pre" },
        read(_, k, at) {
          signal?.throwIfAborted();
          onProgress?.(before + Math.floor((examples.length * at) / layers.length), prompts.length);
          if (representation === "key" && at === layer) pool(k, config.kvHeads);
        },
      };
      const pass: Pass = { ...PLAIN_PASS, llama, lora, workspace, rows: ids.length, tree, queryKeys };
      writeTokens(pass, ids);
      await forward(pass, layer + 1);
      const after = workspace.residual[layer + 1];
      if (representation === "hidden" && after !== undefined) {
        pool(after, 1);
      }
      done += examples.length;
      onProgress?.(done, prompts.length);
    }
    const data = new Float32Array(await queue.read(e, 0, spans.length * D * 4));
    return normalized({ data, n: spans.length, d: D });
  } finally {
    buffers.destroy();
    workspace.destroy();
  }
}
