// One sentence's attention map while trainings run: taken every few steps with the adapter as it is then, kept in memory.

import { attentionDrawing } from "../inspect/attentionDrawing.ts";
import { attentionMaps } from "../inspect/attentionMap.ts";
import type { Figure } from "../inspect/figureFile.ts";
import { MapHistory } from "../inspect/mapHistory.ts";
import { mapPrompt } from "../inspect/mapPrompt.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { attentionPaint, attentionView, checkCells, goldTokens, type PaintedAnswer } from "./inspectAttention.ts";
import type { OpenModel } from "./modelFacts.ts";
import type { AttentionDrawn, EntityTokens, LiveProgress, LiveRequest, Run } from "./protocol.ts";

/** Of all maps that are kept, bytes. */
const MOST_BYTES = 32 * 2 ** 20;

/** A training that can be looked at between its steps. */
export interface WatchedTraining {
  llama: Llama;
  lora: Lora;
  model: Pick<OpenModel, "config" | "tokenizer">;
  run: Pick<Run, "id" | "name" | "parent">;
  /** Stops a look as it stops the training. */
  signal: AbortSignal;
}

/** Called before the first step and after each. */
export type Watch = (step: number, isLast: boolean) => Promise<void>;

interface Followed {
  request: LiveRequest;
  show: (progress: LiveProgress) => void;
}

interface Taken {
  /** As sentenceOf has it. */
  sentence: string;
  history: MapHistory;
  ids: readonly number[];
  responseStart: number;
  /** Columns under gold entities, and each entity by itself. */
  entities: readonly number[];
  gold: readonly EntityTokens[];
  /** Id of the document. */
  document: string;
}

export class LiveAttention {
  #followed: Followed | null = null;
  #taken: Taken | null = null;
  /** The training that the last map is of. */
  #run: string | null = null;

  /** Follows a sentence in what trainings there are from now on; maps of another are forgotten. Null: no more. */
  follow(request: LiveRequest | null, show: (progress: LiveProgress) => void): void {
    this.#followed = request === null ? null : { request, show };
    if (request !== null && this.#taken?.sentence !== sentenceOf(request)) this.#taken = null;
  }

  /** Looks at a training. Its failures are told to who follows, and never end the training. */
  watch(training: WatchedTraining): Watch {
    const { id, parent } = training.run;
    // Of a stage that goes on with the adapter of the one before, the maps go on too.
    if (this.#run !== null && this.#run !== id && this.#run !== parent) this.#taken = null;
    this.#run = id;
    let begun = false;
    return async (step, isLast) => {
      const followed = this.#followed;
      if (followed === null) return;
      // Who begins to follow in the midst of a training sees it at once.
      if (begun && !isLast && this.#taken !== null && step % followed.request.every !== 0) return;
      begun = true;
      try {
        const start = performance.now();
        const taken = await this.#take(training, followed.request, step);
        if (taken === null || this.#followed !== followed) return;
        const { moments, keptEvery } = taken.history;
        followed.show({ kind: "maps", moments, keptEvery, seconds: (performance.now() - start) / 1000 });
      } catch (error) {
        if (training.signal.aborted) return;
        if (this.#followed === followed) this.#followed = null;
        followed.show({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
      }
    };
  }

  /** @throws where there is no such map */
  map(index: number, drawn: AttentionDrawn): PaintedAnswer {
    const { history, entities, gold, document } = this.#known();
    const read = { document, figure: history.figure(index), entities, gold };
    return { view: attentionView(read), paint: attentionPaint(read, history.options(asDrawn(index, drawn))) };
  }

  figure(index: number, drawn: AttentionDrawn): Figure {
    const { history, entities } = this.#known();
    return attentionDrawing(history.figure(index), entities, history.options(asDrawn(index, drawn)));
  }

  async #take(
    { llama, lora, model, run, signal }: WatchedTraining,
    request: LiveRequest,
    step: number,
  ): Promise<Taken | null> {
    const taken = this.#taken ?? begin(model, request);
    const { layer, head } = request;
    const { ids, responseStart: columns } = taken;
    const rows = ids.map((_, row) => row).slice(columns);
    const [weights] = await attentionMaps(llama, lora, ids, { layers: [layer], head, rows, columns }, { signal });
    // Another sentence may have been chosen meanwhile.
    if (
      weights === undefined ||
      this.#followed === null ||
      sentenceOf(this.#followed.request) !== sentenceOf(request)
    ) {
      return null;
    }
    taken.history.add({ run: run.name, step }, weights);
    this.#taken = taken;
    return taken;
  }

  #known(): Taken {
    if (this.#taken === null) throw new Error("expected a map of a training, got none (follow a sentence, then train)");
    return this.#taken;
  }
}

/** @throws where the prompt does not fit the context, or its maps are too large */
function begin(model: WatchedTraining["model"], request: LiveRequest): Taken {
  const { document, type, layer, head } = request;
  const { name, heads, contextLength } = model.config;
  const asked = { document, type, gold: document.entities, response: null, contextLength };
  const prompt = mapPrompt(model.tokenizer, asked);
  const { ids, responseStart, tokens, entities } = prompt;
  const [columns, rows] = [tokens.slice(0, responseStart), tokens.slice(responseStart)];
  // The first and the newest are shown beside each other.
  checkCells(head === "all" ? heads : 1, rows.length, columns.length, 2);
  const figure = { model: name, layer, head, heads, type: type.name, rows, columns };
  const history = new MapHistory(figure, MOST_BYTES);
  return {
    sentence: sentenceOf(request),
    ...{ history, ids, responseStart },
    entities: [...new Set(entities.flat())],
    gold: goldTokens(prompt),
    document: document.id,
  };
}

/** The first map has no change from the first. */
function asDrawn(index: number, drawn: AttentionDrawn): AttentionDrawn {
  return { ...drawn, difference: drawn.difference && index > 0 };
}

function sentenceOf({ document, type, layer, head }: LiveRequest): string {
  return JSON.stringify([document, type, layer, head]);
}
