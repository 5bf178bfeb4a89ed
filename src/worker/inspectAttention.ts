// Attention of a response over its prompt with states of the open model, and what the contrastive loss sees of it.

import { attentionDrawing, entityShares } from "../inspect/attentionDrawing.ts";
import type { AttentionFigure } from "../inspect/attentionFigure.ts";
import { attentionMaps } from "../inspect/attentionMap.ts";
import { paintAttention, runs } from "../inspect/attentionPicture.ts";
import { contrastiveView } from "../inspect/contrastiveView.ts";
import type { Figure } from "../inspect/figureFile.ts";
import { mapPrompt } from "../inspect/mapPrompt.ts";
import { PRESETS } from "../train/presets.ts";
import type { InspectInput } from "./inspectInput.ts";
import type {
  AttentionDrawn,
  AttentionPaint,
  AttentionRequest,
  AttentionView,
  ContrastiveCosines,
} from "./protocol.ts";

/** What was read last: it is painted and written in other ways without asking the model again. */
export interface ReadAttention {
  figure: AttentionFigure;
  /** Columns under gold entities. */
  entities: readonly number[];
}

/** @throws where the prompt does not fit the context, or layer or head are not there; AbortError when stopped */
export async function readAttention(input: InspectInput, request: AttentionRequest): Promise<ReadAttention> {
  const { llama, model, signal, onProgress } = input;
  const { document, type, states, layer, head } = request;
  const { name, heads, contextLength } = model.config;
  const asked = { document, type, gold: document.entities, response: null, contextLength };
  const { ids, responseStart, tokens, entities } = mapPrompt(model.tokenizer, asked);
  const rows = ids.map((_, row) => row).slice(responseStart);
  const adapters: AttentionFigure["adapters"][number][] = [];
  for (const state of states) {
    const lora = await input.lora(state.adapter);
    const before = adapters.length * (layer + 1);
    const options = {
      signal,
      onProgress: (done: number) => onProgress(before + done, states.length * (layer + 1), "layers"),
    };
    const [weights] = await attentionMaps(
      llama,
      lora,
      ids,
      { layers: [layer], head, rows, columns: responseStart },
      options,
    );
    adapters.push({ name: state.name, weights: weights ?? new Float32Array() });
  }
  const figure = {
    ...{ model: name, layer, head, heads, type: type.name, adapters },
    ...{ rows: tokens.slice(responseStart), columns: tokens.slice(0, responseStart) },
  };
  return { figure, entities: [...new Set(entities.flat())] };
}

export function attentionView({ figure, entities }: ReadAttention): AttentionView {
  const { model, layer, type, rows, columns, adapters } = figure;
  const head = figure.head === "all" ? "mean" : figure.head;
  const shares = entityShares(figure, entities);
  return {
    ...{ model, layer, head, type, rows, columns, columnRuns: runs(columns) },
    maps: adapters.map(({ name, weights }, index) => ({
      ...{ name, weights },
      onEntities: entities.length === 0 ? null : (shares[index]?.share ?? null),
    })),
  };
}

export function attentionPaint({ figure }: ReadAttention, drawn: AttentionDrawn): AttentionPaint {
  const { panels, scale } = paintAttention(figure, drawn);
  return {
    panels: panels.map(({ name, values, rgb }) => ({ name, values, rgba: opaque(rgb) })),
    legend: { kind: scale.kind, rgba: opaque(scale.table), ticks: scale.ticks },
  };
}

export function attentionFigure({ figure, entities }: ReadAttention, drawn: AttentionDrawn): Figure {
  return attentionDrawing(figure, entities, drawn);
}

/** @throws where the sentence has no entity of the type */
export async function readCosines(
  input: InspectInput,
  { document, type, states, layer }: Omit<AttentionRequest, "head">,
): Promise<ContrastiveCosines[]> {
  const weight = PRESETS.sft.paper.contrastiveWeight;
  const settings = { layer, rope: "pre", pooling: "mean", weight } as const;
  const read: ContrastiveCosines[] = [];
  for (const { adapter, name } of states) {
    input.signal.throwIfAborted();
    const lora = await input.lora(adapter);
    const view = await contrastiveView(input.llama, lora, input.model.tokenizer, document, type, settings);
    const { loss, sft_loss: sftLoss, contrastive_loss: contrastiveLoss } = view.losses;
    read.push({ name, layer: view.layer, weight, entities: view.entities, loss, sftLoss, contrastiveLoss });
    input.onProgress(read.length, states.length, "adapters");
  }
  return read;
}

function opaque(rgb: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) rgba.set(rgb.subarray(from, from + 3), to);
  return rgba;
}
