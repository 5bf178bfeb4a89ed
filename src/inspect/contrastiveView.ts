/**
 * What the attention contrastive loss sees of one prompt (OBP-LLM, Eq. 3 and 4; method.md, stage 2): the cosine of the
 * type with each entity and with the tokens beside it, and the terms of the loss, those of a training step on this
 * prompt alone without dropout.
 */
import { forward, type Pass, PLAIN_PASS, writeTokens } from "../model/forward.ts";
import { Head } from "../model/head.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { Workspace } from "../model/workspace.ts";
import type { Document, Entity, EntityType } from "../ner/document.ts";
import { encodePrompt } from "../ner/prompt.ts";
import { ContrastiveLoss, type ContrastiveOptions } from "../train/contrastive.ts";
import { type ContrastiveRows, contrastiveRows, type Pooling } from "../train/contrastiveRows.ts";
import { supervisedRows, type TrainExample } from "../train/examples.ts";
import type { StepLosses } from "../train/objective.ts";
import type { MapTokenizer } from "./mapPrompt.ts";

export interface ContrastiveViewOptions extends ContrastiveOptions {
  readonly pooling: Pooling;
  /** λ of the contrastive loss in `losses.loss`. */
  readonly weight: number;
}

export interface ContrastiveView {
  readonly layer: number;
  /** In the order given. */
  readonly entities: readonly EntityCosines[];
  /** Under the training log's names. */
  readonly losses: StepLosses & { readonly sft_loss: number; readonly contrastive_loss: number };
}

/** Cosines of e^Q of the type with e^K. */
interface EntityCosines {
  /** UTF-16 offsets in the sentence. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly cosine: number;
  /** The negatives; a token outside the sentence or inside an entity is none. */
  readonly left: TokenCosine | null;
  readonly right: TokenCosine | null;
}

interface TokenCosine {
  readonly token: string;
  readonly cosine: number;
}

/** @throws Error where the sentence has no entity of the type, the prompt does not fit the context, or no such layer */
export async function contrastiveView(
  llama: Llama,
  lora: Lora | null,
  tokenizer: MapTokenizer,
  { text, entities }: Pick<Document, "text" | "entities">,
  type: EntityType,
  { pooling, weight, ...options }: ContrastiveViewOptions,
): Promise<ContrastiveView> {
  const encoding = encodePrompt(tokenizer, text, type, entities);
  const rows = contrastiveRows(encoding, entities, type.name, pooling);
  if (rows === null) {
    throw new Error(
      `expected at least one entity of type ${type.name} in the sentence, got none (the contrastive loss passes over such prompts)`,
    );
  }
  const { ids, responseStart } = encoding;
  await llama.prepareTraining();
  const contrastive = new ContrastiveLoss(llama, options);
  try {
    const cosines = await contrastive.measure(lora, ids, rows);
    const sft = await sftLoss(llama, lora, { name: type.name, ids, responseStart });
    const own = entities.filter((entity) => entity.type === type.name);
    return {
      layer: contrastive.layer,
      entities: perEntity(text, own, rows, cosines, (row) => tokenizer.token(ids[row] ?? NaN)),
      losses: { loss: sft + weight * cosines.loss, sft_loss: sft, contrastive_loss: cosines.loss },
    };
  } finally {
    contrastive.destroy();
  }
}

/** Each entity with its own of the neighbours, which are listed left and right, entity by entity, some left out. */
function perEntity(
  text: string,
  own: readonly Entity[],
  rows: ContrastiveRows,
  cosines: { readonly entities: readonly number[]; readonly neighbours: readonly number[] },
  tokenOf: (row: number) => string,
): EntityCosines[] {
  let next = 0;
  const take = (row: number): TokenCosine | null => {
    if (rows.neighbours[next] !== row) return null;
    return { token: tokenOf(row), cosine: cosines.neighbours[next++] ?? NaN };
  };
  return own.map(({ start, end }, index) => {
    const span = rows.entities[index] ?? [];
    const cosine = cosines.entities[index] ?? NaN;
    const left = take((span[0] ?? NaN) - 1);
    const right = take((span.at(-1) ?? NaN) + 1);
    return { start, end, text: text.slice(start, end), cosine, left, right };
  });
}

/** Cross-entropy on the response, the mean over its tokens, added up on the GPU as training does. */
async function sftLoss(llama: Llama, lora: Lora | null, example: TrainExample): Promise<number> {
  const workspace = new Workspace(llama, example.ids.length, lora?.R ?? 4, "inference");
  const head = new Head(llama);
  try {
    const pass: Pass = { ...PLAIN_PASS, llama, lora, workspace, rows: example.ids.length };
    writeTokens(pass, example.ids);
    await forward(pass);
    const supervised = supervisedRows(example);
    head.clearTotal();
    head.loss(workspace.residual[llama.config.layers] as GPUBuffer, supervised, null);
    const [sum = NaN] = new Float32Array(await llama.queue.read(head.total, 0, 8));
    return sum / supervised.length;
  } finally {
    workspace.destroy();
    head.destroy();
  }
}
