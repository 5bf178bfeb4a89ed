// obp attention: how a response attends to its prompt, as data or as a picture.
import type { AttentionFigure } from "../inspect/attentionFigure.ts";
import { attentionMaps, attentionMass, checkLayerAndHead, type HeadChoice } from "../inspect/attentionMap.ts";
import { attentionDrawing, entityShares } from "../inspect/attentionDrawing.ts";
import { cosinesDrawing } from "../inspect/cosinesPicture.ts";
import { type Figure, figureFile } from "../inspect/figureFile.ts";
import type { MapPrompt } from "../inspect/mapPrompt.ts";
import { massAsked, meanMass } from "../inspect/massFigure.ts";
import { massDrawing } from "../inspect/massPicture.ts";
import type { Llama } from "../model/llama.ts";
import type { EntityType } from "../ner/document.ts";
import type { Comparison } from "../train/compareRuns.ts";
import { defaultContrastiveLayer } from "../train/contrastive.ts";
import { checkWritable, writeFileAtomic } from "./atomicFile.ts";
import {
  type AttentionAsked,
  attentionFlags,
  goldEntities,
  headOf,
  ownAnswer,
  promptOf,
  readAdapters,
  typeOf,
} from "./attentionInput.ts";
import type { Context } from "./context.ts";
import { contrastiveViews } from "./attentionContrastive.ts";
import { eachAdapter } from "./eachAdapter.ts";
import { formatOf, type NamedAdapter } from "./figure.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";
import { compareAdapters } from "./recordedAdapters.ts";
import { defineVerb, type Report } from "./verb.ts";

interface AnyFigure extends Figure {
  /** For people: one line each. */
  readonly lines: readonly string[];
}

export const verb = defineVerb({
  positionals: {},
  flags: attentionFlags,
  example:
    'npx obp attention --model bundled --text "Marta Lindqvist met Tom in Oslo." --type person --gold "Marta Lindqvist" Tom --hide-first --out /tmp/attention.svg',
  async run({ flags: given }, context): Promise<Report> {
    const format = formatOf(given.out);
    const head = headOf(given.head);
    const model = await openWithTokenizer(given.model);
    const layer = given.layer ?? defaultContrastiveLayer(model.config.layers);
    checkLayerAndHead(model.config, layer, head);
    const type = typeOf(given);
    const gold = given.gold.length === 0 ? null : goldEntities(given, type);
    const adapters = readAdapters(given);
    const compared = await compareAdapters(adapters, (line) => context.note(line));
    const known = given.response !== undefined || gold !== null ? promptOf(model, given, type, gold, null) : null;
    checkWritable(given.out);
    const { llama } = await loadModel(model, null, context);
    const prompt =
      known ?? promptOf(model, given, type, null, await ownAnswer(llama, model, given, type, adapters[0], context));
    const drawn = given.overview
      ? await overview(llama, prompt, type, adapters, compared, context)
      : await map(llama, prompt, { layer, head, type, compared }, adapters, given, context);
    const views = given.contrastive
      ? await contrastiveViews(
          llama,
          model.tokenizer,
          { text: given.text, entities: prompt.spans, type, layer },
          adapters,
          context,
        )
      : null;
    const figure: Figure =
      views === null
        ? drawn
        : {
            ...cosinesDrawing({ ...views.figure, compared }),
            json: () => ({ ...drawn.json(), contrastive: views.json }),
          };
    writeFileAtomic(given.out, await figureFile(figure, format, given.zoom));
    return {
      json: { ...figure.json(), response: prompt.response, out: given.out },
      text: [
        ...[`response: ${prompt.response}`, ...drawn.lines, ...(views?.lines ?? [])],
        ...(compared === null ? [] : [compared.text]),
        `written to ${given.out}`,
      ].join("\n"),
    };
  },
});

interface MapAsked {
  readonly layer: number;
  readonly head: HeadChoice;
  readonly type: EntityType;
  readonly compared: Comparison | null;
}

async function map(
  llama: Llama,
  prompt: MapPrompt,
  { layer, head, type, compared }: MapAsked,
  adapters: readonly NamedAdapter[],
  { difference, scale, "hide-first": hideFirst }: AttentionAsked,
  context: Context,
): Promise<AnyFigure> {
  const { ids, responseStart: columns, tokens } = prompt;
  const rows = ids.map((_, row) => row).slice(columns);
  const steps = { label: "attention", total: layer + 1, unit: "layers" };
  const maps = await eachAdapter(llama, adapters, steps, context, async (name, lora, options) => {
    const [weights] = await attentionMaps(llama, lora, ids, { layers: [layer], head, rows, columns }, options);
    return { name, weights: weights ?? new Float32Array() };
  });
  const { name: model, heads } = llama.config;
  const figure: AttentionFigure = {
    ...{ model, layer, head, heads, type: type.name },
    ...{ rows: tokens.slice(columns), columns: tokens.slice(0, columns), adapters: maps, compared },
  };
  const entities = [...new Set(prompt.entities.flat())];
  const onEntities = entityShares(figure, entities);
  return {
    ...attentionDrawing(figure, entities, { scale, hideFirst, difference }),
    lines: [
      `layer ${layer}, ${head === "mean" ? `mean over ${heads} heads` : head === "all" ? `${heads} heads` : `head ${head}`}: ${rows.length} tokens of the response over ${columns} of the prompt`,
      ...(entities.length === 0
        ? ["no entity in the sentence to measure attention on"]
        : onEntities.map(({ name, share }) => `attention on entities, ${name}: ${share.toFixed(4)}`)),
    ],
  };
}

async function overview(
  llama: Llama,
  prompt: MapPrompt,
  type: EntityType,
  adapters: readonly NamedAdapter[],
  compared: Comparison | null,
  context: Context,
): Promise<AnyFigure> {
  const { rows, sets } = massAsked(prompt, type.name, "name them: --gold E …");
  const steps = { label: "attention", total: llama.config.layers, unit: "layers" };
  const masses = await eachAdapter(llama, adapters, steps, context, async (name, lora, options) => {
    const [entities = [], onType = [], first = []] = await attentionMass(llama, lora, prompt.ids, rows, sets, options);
    return { name, entities, type: onType, first };
  });
  const figure = { model: llama.config.name, type: type.name, rows: rows.length, entityTokens: sets[0].length };
  return {
    ...massDrawing({ ...figure, adapters: masses, compared }),
    lines: masses.map(
      ({ name, entities }) =>
        `attention on entities, mean of all layers and heads, ${name}: ${meanMass(entities).toFixed(4)}`,
    ),
  };
}
