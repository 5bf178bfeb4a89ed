// obp tsne: entity representations of one or several adapters in one plane, as data or as a picture.
import { OffsetMap } from "../formats/offsets.ts";
import { checkLayerAndHead } from "../inspect/attentionMap.ts";
import { figureFile } from "../inspect/figureFile.ts";
import { gatherRepresentations, planSpans, REPRESENTATIONS, type SpanPlan } from "../inspect/representations.ts";
import { MOST_PCA_ITERATIONS } from "../inspect/pca.ts";
import {
  figureCsv,
  figureJson,
  joinVectors,
  type LayoutChoice,
  layOut,
  partOf,
  type SpaceFigure,
  spaceScores,
} from "../inspect/spaceFigure.ts";
import { spacePicture } from "../inspect/spacePicture.ts";
import { checkSettings, fittingPerplexity, MOST_POINTS, TSNE_DEFAULTS } from "../inspect/tsne.ts";
import type { Vectors } from "../inspect/vectors.ts";
import { Lora } from "../model/lora.ts";
import type { Document } from "../ner/document.ts";
import { defaultContrastiveLayer } from "../train/contrastive.ts";
import { checkWritable, writeFileAtomic } from "./atomicFile.ts";
import type { Context } from "./context.ts";
import { documentFlags, noteUnusedTypes, readDocuments, readTypes } from "./documents.ts";
import { figureFlags, formatOf, namedAdapters } from "./figure.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";
import { modelFlag } from "./openModel.ts";
import { compareAdapters } from "./recordedAdapters.ts";
import { defineVerb, type FlagValues } from "./verb.ts";

const MOST_ADAPTERS = 6;
const SEED = 42;

const flags = {
  model: modelFlag,
  adapter: {
    kind: "text",
    value: "FOLDER|base",
    multiple: true,
    help: "LoRA adapters, PEFT folders, fitted together; base is the model without (default)",
  },
  in: { kind: "text", value: "FILE", required: true, help: "documents with gold entities" },
  types: { kind: "text", value: "TYPES.json", required: true, help: "types whose entities are laid out" },
  method: { kind: "choice", choices: ["tsne", "pca"], fallback: "tsne", help: "how the plane is found" },
  layer: { kind: "integer", value: "N", min: 0, help: "from 0 (default: that of the contrastive loss, 26 of 32)" },
  representation: {
    kind: "choice",
    choices: REPRESENTATIONS,
    fallback: "key",
    help: "key: e^K of the contrastive loss; hidden: the residual stream after the layer",
  },
  limit: { kind: "integer", value: "N", min: 2, max: MOST_POINTS, help: "most points in all (default 5000)" },
  perplexity: {
    kind: "number",
    value: "P",
    min: 1,
    help: "t-SNE: neighbours that count (default 30, few points: less)",
  },
  iterations: { kind: "integer", value: "N", min: 1, help: "t-SNE (default 1000)" },
  "learning-rate": { kind: "number", value: "R", help: "t-SNE (default: points / exaggeration / 4, at least 50)" },
  "early-exaggeration": { kind: "number", value: "E", min: 1, help: "t-SNE: for 250 iterations (default 12)" },
  start: { kind: "choice", choices: ["pca", "random"], fallback: "pca", help: "t-SNE: where points stand at first" },
  seed: { kind: "integer", value: "N", min: 0, help: "of a random start and of a sample (default 42)" },
  ...documentFlags,
  ...figureFlags,
} as const;

export const verb = defineVerb({
  positionals: {},
  flags,
  example:
    "npx obp tsne --model bundled --in public/samples/train.jsonl --types public/samples/types.json --iterations 300 --out /tmp/space.svg",
  async run({ flags: given }, context) {
    const format = formatOf(given.out);
    const note = (line: string): void => context.note(line);
    const model = await openWithTokenizer(given.model);
    const { config, tokenizer } = model;
    const layer = given.layer ?? defaultContrastiveLayer(config.layers);
    checkLayerAndHead(config, layer, "mean");
    const types = readTypes(given.types);
    const documents = readDocuments(given.in, given, note);
    noteUnusedTypes(documents, types, note);
    const adapters = namedAdapters(given.adapter, MOST_ADAPTERS);
    const compared = await compareAdapters(adapters, note);
    const limit = Math.floor((given.limit ?? MOST_POINTS) / adapters.length);
    const seed = given.seed ?? SEED;
    const plan = planSpans(tokenizer, documents, types, { contextLength: config.contextLength, limit, seed });
    notePlan(plan, config.contextLength, note);
    const choice = layoutChoice(given, plan.spans.length * adapters.length, seed);
    checkWritable(given.out);
    const { llama } = await loadModel(model, null, context);

    const progress = context.progress("reading", plan.prompts.length * adapters.length, "prompts");
    const parts: Vectors[] = [];
    for (const [index, { weights }] of adapters.entries()) {
      const lora = weights === null ? null : Lora.fromWeights(llama, weights);
      const onProgress = (done: number): void => progress.update(index * plan.prompts.length + done);
      const asked = { layer, representation: given.representation };
      parts.push(await gatherRepresentations(llama, lora, plan, asked, { signal: context.signal, onProgress }));
      lora?.destroy();
    }
    progress.finish();
    const { layout, positions } = await placed(llama.queue, joinVectors(parts), choice, context);
    const scoring = context.progress("scores", plan.spans.length * adapters.length, "points");
    const scored: SpaceFigure["adapters"][number][] = [];
    for (const [i, { name }] of adapters.entries()) {
      const own = partOf(positions, i, adapters.length);
      const onProgress = (done: number): void => scoring.update(i * plan.spans.length + done);
      const options = { signal: context.signal, onProgress };
      scored.push({ name, positions: own, scores: await spaceScores(parts[i] as Vectors, own, plan.spans, options) });
    }
    scoring.finish();
    const figure: SpaceFigure = {
      ...{ model: config.name, layer, representation: given.representation, types: types.map(({ name }) => name) },
      ...{ spans: plan.spans, found: plan.found, layout, adapters: scored, compared },
    };
    const offset = offsetsOf(documents, given.offsets);
    const drawn = {
      json: () => figureJson(figure, offset),
      csv: () => figureCsv(figure, offset),
      scene: () => spacePicture(figure),
    };
    writeFileAtomic(given.out, await figureFile(drawn, format, given.zoom));
    return {
      json: { ...figureJson(figure, offset), leftOut: plan.tooLong, out: given.out },
      text: [
        `${plan.spans.length} entities of ${types.length} types, layer ${layer}`,
        layout.method === "tsne"
          ? `t-SNE: KL divergence ${layout.klDivergence.toFixed(4)} after ${layout.iterations} iterations`
          : `PCA: ${layout.explained.map((share) => `${(100 * share).toFixed(1)} %`).join(" and ")} of the variance`,
        ...figure.adapters.map(
          ({ name, scores: { silhouette, purity, trustworthiness } }) =>
            `${name}: silhouette ${shown(silhouette.cosine)} cosine, ${shown(silhouette.euclidean)} euclidean; purity ${shown(purity)}, trustworthiness ${shown(trustworthiness)}`,
        ),
        ...(compared === null ? [] : [compared.text]),
        `written to ${given.out}`,
      ].join("\n"),
    };
  },
});

function notePlan({ spans, found, tooLong }: SpanPlan, contextLength: number, note: (line: string) => void): void {
  for (const { name, tokens } of tooLong) {
    note(`left out: ${name}: ${tokens} tokens do not fit the model's context of ${contextLength}`);
  }
  if (spans.length < 2) {
    throw new Error(
      `expected at least 2 gold entities of the given types to lay out, got ${spans.length} (are they in the documents, and the types named as there?)`,
    );
  }
  if (found > spans.length) {
    note(`a sample of ${spans.length} of ${found} entities is laid out`);
  }
}

function layoutChoice(given: FlagValues<typeof flags>, points: number, seed: number): LayoutChoice {
  if (given.method === "pca") {
    return { method: "pca" };
  }
  const settings = {
    perplexity: given.perplexity ?? fittingPerplexity(points),
    iterations: given.iterations ?? TSNE_DEFAULTS.iterations,
    learningRate: given["learning-rate"] ?? TSNE_DEFAULTS.learningRate,
    earlyExaggeration: given["early-exaggeration"] ?? TSNE_DEFAULTS.earlyExaggeration,
  };
  checkSettings(settings, points);
  return { method: "tsne", settings, start: given.start, seed };
}

async function placed(
  queue: Parameters<typeof layOut>[0],
  vectors: Vectors,
  choice: LayoutChoice,
  context: Context,
): ReturnType<typeof layOut> {
  const total = choice.method === "tsne" ? choice.settings.iterations : MOST_PCA_ITERATIONS;
  const progress = context.progress(choice.method === "tsne" ? "t-SNE" : "PCA", total, "iterations");
  const result = await layOut(queue, vectors, choice, {
    signal: context.signal,
    ...(choice.method === "pca" ? { onPca: (done: number) => progress.update(done) } : {}),
    onState: (iteration) => progress.update(iteration),
  });
  progress.finish();
  return result;
}

function shown(score: number | null): string {
  return score === null ? "–" : score.toFixed(4);
}

/** From UTF-16 offsets of a span to those of the files. */
function offsetsOf(
  documents: readonly Document[],
  unit: "code-points" | "utf16",
): (span: { readonly document: string }, at: number) => number {
  const texts = new Map(documents.map(({ id, text }) => [id, text]));
  const maps = new Map<string, OffsetMap>();
  return ({ document }, at) => {
    const map = maps.get(document) ?? new OffsetMap(texts.get(document) ?? "", unit);
    maps.set(document, map);
    return map.toFile(at);
  };
}
