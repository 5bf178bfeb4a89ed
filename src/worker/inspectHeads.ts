// How much attention falls on gold entities, in all layers and heads, with states of the open model.

import { opaque } from "../inspect/colourScale.ts";
import { attentionMass } from "../inspect/attentionMap.ts";
import { mapPrompt } from "../inspect/mapPrompt.ts";
import { massAsked, type MassFigure } from "../inspect/massFigure.ts";
import { paintMass } from "../inspect/massPicture.ts";
import { legendOf } from "./inspectColours.ts";
import type { InspectInput } from "./inspectInput.ts";
import type { HeadsRequest, HeadsRow, HeadsView } from "./protocol.ts";

/** @throws where the sentence has no entity of the type, or the prompt does not fit; AbortError when stopped */
export async function readHeads(input: InspectInput, { document, type, states }: HeadsRequest): Promise<MassFigure> {
  const { llama, model, signal, onProgress } = input;
  const { name, layers, contextLength } = model.config;
  const asked = { document, type, gold: document.entities, response: null, contextLength };
  const prompt = mapPrompt(model.tokenizer, asked);
  const { rows, sets } = massAsked(prompt, type.name, "mark one under Label, or choose another type or sentence");
  const adapters: MassFigure["adapters"][number][] = [];
  for (const state of states) {
    const lora = await input.lora(state.adapter);
    const before = adapters.length * layers;
    const options = {
      signal,
      onProgress: (done: number) => onProgress(before + done, states.length * layers, "layers"),
    };
    const [entities = [], ofType = [], first = []] = await attentionMass(llama, lora, prompt.ids, rows, sets, options);
    adapters.push({ name: state.name, entities, type: ofType, first });
  }
  const compared = await input.compare(states);
  return { model: name, type: type.name, rows: rows.length, entityTokens: sets[0].length, adapters, compared };
}

export function headsView(figure: MassFigure): HeadsView {
  const { model, type, rows, entityTokens, adapters } = figure;
  const { values, changes } = paintMass(figure);
  const [layers, heads] = [adapters[0]?.entities.length ?? 0, adapters[0]?.entities[0]?.length ?? 0];
  return { model, type, rows, entityTokens, layers, heads, values: rowOf(values), changes: rowOf(changes) };
}

function rowOf({ scale, maps }: ReturnType<typeof paintMass>["values"]): HeadsRow {
  return {
    maps: maps.map(({ name, mean, mass, rgb }) => ({ name, mean, values: mass.flat(), rgba: opaque(rgb) })),
    legend: legendOf(scale),
  };
}
