// Attention of a response over its prompt with states of the open model, and what the contrastive loss sees of it.

import { attentionDrawing, headShares } from "../inspect/attentionDrawing.ts";
import { type AttentionFigure, headsOf } from "../inspect/attentionFigure.ts";
import { attentionMaps } from "../inspect/attentionMap.ts";
import { type AttentionPictureOptions, type Painted, paintAttention, runs } from "../inspect/attentionPicture.ts";
import { contrastiveView } from "../inspect/contrastiveView.ts";
import { type CosinesFigure, stateCosines } from "../inspect/cosinesFigure.ts";
import type { Figure } from "../inspect/figureFile.ts";
import { type MapPrompt, mapPrompt } from "../inspect/mapPrompt.ts";
import { PRESETS } from "../train/presets.ts";
import type { InspectInput } from "./inspectInput.ts";
import { legendOf } from "./inspectColours.ts";
import type {
  AttentionDrawn,
  AttentionPaint,
  AttentionRequest,
  AttentionView,
  ContrastiveCosines,
  CosinesRequest,
  EntityTokens,
} from "./protocol.ts";

/** Of all maps of a look together: values and colours of as many take 128 MB on the page, and more here. */
const MOST_CELLS = 16e6;

/** @throws Error where maps are too many and large to be shown, saying what can be */
export function checkCells(heads: number, rows: number, columns: number, states: number): void {
  const cells = heads * rows * columns * states;
  if (cells <= MOST_CELLS) return;
  const [most, got] = [MOST_CELLS, cells].map((count) => Number((count / 1e6).toFixed(1)));
  const of = [
    ...(heads > 1 ? [`${heads} heads`] : []),
    `${rows} × ${columns} tokens`,
    ...(states > 1 ? [`${states} states`] : []),
  ];
  throw new Error(
    `expected at most ${most} million cells of all maps together, got ${got} million: ${of.join(" × ")} ` +
      (heads > 1
        ? "(choose one head or the mean; Layers × heads has one number for each head, however long the sentence)"
        : "(choose fewer states, or a shorter sentence)"),
  );
}

/** What was read last: it is painted and written in other ways without asking the model again. */
export interface ReadAttention {
  /** Id of the document. */
  document: string;
  figure: AttentionFigure;
  /** Columns under gold entities. */
  entities: readonly number[];
  /** Each of them by itself. */
  gold: readonly EntityTokens[];
}

/** Entities of a prompt, as a map of its response over the rest has them. */
export function goldTokens({ spans, entities, named, responseStart }: MapPrompt): EntityTokens[] {
  return spans.map(({ start, end }, i) => ({
    ...{ start, end, columns: entities[i] ?? [] },
    rows: (named[i] ?? []).map((row) => row - responseStart),
  }));
}

/** @throws where the prompt does not fit the context, or layer or head are not there; AbortError when stopped */
export async function readAttention(input: InspectInput, request: AttentionRequest): Promise<ReadAttention> {
  const { llama, model, signal, onProgress } = input;
  const { document, type, states, layer, head } = request;
  const { name, heads, contextLength } = model.config;
  const asked = { document, type, gold: document.entities, response: null, contextLength };
  const prompt = mapPrompt(model.tokenizer, asked);
  const { ids, responseStart, tokens, entities } = prompt;
  const rows = ids.map((_, row) => row).slice(responseStart);
  checkCells(head === "all" ? heads : 1, rows.length, responseStart, states.length);
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
    ...{ model: name, layer, head, heads, type: type.name, adapters, compared: await input.compare(states) },
    ...{ rows: tokens.slice(responseStart), columns: tokens.slice(0, responseStart) },
  };
  return { document: document.id, figure, entities: [...new Set(entities.flat())], gold: goldTokens(prompt) };
}

export function attentionView({ document, figure, entities, gold }: ReadAttention): AttentionView {
  const { model, layer, head, type, rows, columns } = figure;
  return {
    ...{ document, model, layer, head, heads: headsOf(figure).length, type },
    ...{ rows, columns, columnRuns: runs(columns), entities: gold },
    maps: headShares(figure, entities).map(({ name, shares }) => ({
      ...{ name, onEntities: entities.length === 0 ? null : shares },
    })),
  };
}

/** Maps with their colours, in memory. */
export interface PaintedMaps extends Pick<AttentionPaint, "legend"> {
  rows: number;
  columns: number;
  panels: Painted["panels"];
}

export interface PaintedAnswer {
  view: AttentionView;
  paint: PaintedMaps;
}

export function attentionPaint({ figure }: Pick<ReadAttention, "figure">, drawn: AttentionPictureOptions): PaintedMaps {
  const { panels, scale } = paintAttention(figure, drawn);
  return { rows: figure.rows.length, columns: figure.columns.length, panels, legend: legendOf(scale) };
}

export function attentionFigure({ figure, entities }: ReadAttention, drawn: AttentionDrawn): Figure {
  return attentionDrawing(figure, entities, drawn);
}

/** @throws where the sentence has no entity of the type */
export async function readCosines(
  input: InspectInput,
  { document, type, states, layer }: CosinesRequest,
): Promise<CosinesFigure> {
  const weight = PRESETS.sft.paper.contrastiveWeight;
  const settings = { layer, rope: "pre", pooling: "mean", weight } as const;
  const read: CosinesFigure["states"][number][] = [];
  for (const { adapter, name } of states) {
    input.signal.throwIfAborted();
    const lora = await input.lora(adapter);
    const view = await contrastiveView(input.llama, lora, input.model.tokenizer, document, type, settings);
    read.push(stateCosines(name, view));
    input.onProgress(read.length, states.length, "adapters");
  }
  return {
    model: input.model.config.name,
    type: type.name,
    layer,
    weight,
    states: read,
    compared: await input.compare(states),
  };
}

export function cosinesView({ layer, weight, states }: CosinesFigure): ContrastiveCosines[] {
  return states.map((state) => ({ ...state, layer, weight }));
}
