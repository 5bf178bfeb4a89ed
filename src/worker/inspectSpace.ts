// Entity representations of labelled documents with states of the open model, in one plane, with scores.

import { OffsetMap } from "../formats/offsets.ts";
import type { Figure } from "../inspect/figureFile.ts";
import { gatherRepresentations, planSpans } from "../inspect/representations.ts";
import {
  figureCsv,
  figureJson,
  joinVectors,
  type LayoutChoice,
  layOut,
  NEIGHBOURS,
  partOf,
  type SpaceFigure,
  spaceScores,
} from "../inspect/spaceFigure.ts";
import { captionOf, spacePicture } from "../inspect/spacePicture.ts";
import { checkSettings, fittingPerplexity, MOST_POINTS, TSNE_DEFAULTS } from "../inspect/tsne.ts";
import type { Vectors } from "../inspect/vectors.ts";
import type { InspectInput } from "./inspectInput.ts";
import type { SpaceProgress, SpaceRequest, SpaceView } from "./protocol.ts";

/** Iterations between two states of t-SNE that are shown. */
const SHOW_EVERY = 10;

export interface ReadSpace {
  figure: SpaceFigure;
  /** Texts by document, for offsets in code points. */
  texts: ReadonlyMap<string, string>;
}

/**
 * @param show hears the points, and where they stand while they are laid out
 * @throws where there are fewer than two entities, or settings do not suit them; AbortError when stopped
 */
export async function readSpace(
  input: InspectInput,
  request: SpaceRequest,
  show: (progress: SpaceProgress) => void,
): Promise<ReadSpace> {
  const { llama, model, signal, onProgress, onPhase } = input;
  const { documents, types, states, layer, representation, seed } = request;
  const { contextLength } = model.config;
  const limit = Math.floor(MOST_POINTS / states.length);
  const plan = planSpans(model.tokenizer, documents, types, { contextLength, limit, seed });
  const { spans, found } = plan;
  if (spans.length < 2) {
    throw new Error(`expected at least 2 labelled entities to lay out, got ${spans.length} (label some more)`);
  }
  const choice = layoutChoice(request, spans.length * states.length);
  show({
    ...{ kind: "points", points: spans, found },
    leftOut: plan.tooLong.map(({ name, tokens }) => `${name} (${tokens} tokens)`),
    perplexity: choice.method === "tsne" ? choice.settings.perplexity : NaN,
  });
  const parts: Vectors[] = [];
  const prompts = plan.prompts.length;
  for (const { adapter } of states) {
    const lora = await input.lora(adapter);
    const before = parts.length * prompts;
    const options = {
      signal,
      onProgress: (done: number) => onProgress(before + done, states.length * prompts, "prompts"),
    };
    parts.push(await gatherRepresentations(llama, lora, plan, { layer, representation }, options));
  }
  onPhase("laying out");
  const split = (positions: Float32Array | Float64Array): Float32Array[] =>
    states.map((_, i) => Float32Array.from(partOf(positions, i, states.length)));
  const { layout, positions } = await layOut(llama.queue, joinVectors(parts), choice, {
    ...{ signal, every: SHOW_EVERY },
    onPca: (done, most) => onProgress(done, most, "iterations"),
    onState(iteration, total, now) {
      onProgress(iteration, total, "iterations");
      show({ kind: "positions", iteration, total, positions: split(now) });
    },
  });
  onPhase("scoring");
  const adapters: SpaceFigure["adapters"][number][] = [];
  for (const [i, { name }] of states.entries()) {
    const own = partOf(positions, i, states.length);
    const options = {
      signal,
      onProgress: (done: number) => onProgress(i * spans.length + done, states.length * spans.length, "points"),
    };
    adapters.push({ name, positions: own, scores: await spaceScores(parts[i] as Vectors, own, spans, options) });
  }
  const figure = {
    ...{ model: model.config.name, layer, representation, types: types.map(({ name }) => name) },
    ...{ spans, found, layout, adapters, compared: await input.compare(states) },
  };
  return { figure, texts: new Map(documents.map(({ id, text }) => [id, text])) };
}

function layoutChoice(request: SpaceRequest, points: number): LayoutChoice {
  const { method, start, seed, iterations } = request;
  if (method === "pca") return { method };
  const perplexity = request.perplexity ?? fittingPerplexity(points);
  const settings = { ...TSNE_DEFAULTS, perplexity, iterations };
  checkSettings(settings, points);
  return { method, settings, start, seed };
}

export function spaceView({ figure }: ReadSpace): SpaceView {
  const { layout, adapters, layer } = figure;
  return {
    ...{ caption: captionOf(figure), layer, neighbours: NEIGHBOURS },
    klDivergence: layout.method === "tsne" ? layout.klDivergence : null,
    iterations: layout.method === "tsne" ? layout.iterations : null,
    explained: layout.method === "pca" ? layout.explained : null,
    maps: adapters.map(({ name, positions, scores: { silhouette, purity, trustworthiness } }) => ({
      ...{ name, positions: Float32Array.from(positions), purity, trustworthiness },
      ...{ silhouetteCosine: silhouette.cosine, silhouetteEuclidean: silhouette.euclidean },
    })),
  };
}

/** Offsets in code points, as in files. */
export function spaceFigure({ figure, texts }: ReadSpace): Figure {
  const maps = new Map<string, OffsetMap>();
  const offset = ({ document }: { readonly document: string }, at: number): number => {
    const map = maps.get(document) ?? new OffsetMap(texts.get(document) ?? "", "code-points");
    maps.set(document, map);
    return map.toFile(at);
  };
  return {
    json: () => figureJson(figure, offset),
    csv: () => figureCsv(figure, offset),
    scene: () => spacePicture(figure),
  };
}
