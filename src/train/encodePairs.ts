/** Prompts with responses of any wording (TRL's columns) as token ids. */
import { encodeResponse, type PromptTokenizer } from "../ner/prompt.ts";
import { type DpoPair, dpoPair } from "./dpoExamples.ts";
import type { TooLong, TrainExample } from "./examples.ts";
import type { Preference } from "./preferences.ts";

/**
 * Ids of prompt + response, the end token behind it.
 * @param name says in messages which pair it is
 * @throws Error where the prompt has no token of its own, or the context cannot hold the ids
 */
export function encodePair(
  tokenizer: PromptTokenizer,
  contextLength: number,
  name: string,
  prompt: string,
  response: string,
): TrainExample {
  const { ids, responseStart } = encodeResponse(tokenizer, prompt, response);
  if (responseStart < 1) {
    throw new Error(
      `expected a prompt with a token of its own on ${name}, got ${JSON.stringify(prompt)} (nothing comes before the completion's first token, so it has no probability)`,
    );
  }
  if (ids.length > contextLength) {
    throw new Error(
      `expected at most ${contextLength} tokens, the model's context, on ${name}, got ${ids.length} (shorten or remove it)`,
    );
  }
  return { name, ids, responseStart };
}

/** @throws Error naming the first whose prompt has no token, that the context cannot hold, or whose answers are the same */
export function encodePreferences(
  tokenizer: PromptTokenizer,
  contextLength: number,
  preferences: readonly Preference[],
): DpoPair[] {
  return preferences.map(({ name, prompt, chosen, rejected }) => {
    const encode = (response: string) => encodePair(tokenizer, contextLength, name, prompt, response);
    return dpoPair(name, encode(chosen), encode(rejected));
  });
}

/** The pairs both of whose answers fit the context; of the others the prompts, with the tokens they would take. */
export function fittingPreferences<P extends Preference>(
  tokenizer: PromptTokenizer,
  contextLength: number,
  preferences: readonly P[],
): { fitting: P[]; leftOut: TooLong[] } {
  const fitting: P[] = [];
  const tooLong = new Map<string, number>();
  for (const preference of preferences) {
    const { name, prompt, chosen, rejected } = preference;
    const lengths = [chosen, rejected].map((response) => encodeResponse(tokenizer, prompt, response).ids.length);
    const tokens = Math.max(...lengths);
    if (tokens <= contextLength) fitting.push(preference);
    else tooLong.set(name, Math.max(tokens, tooLong.get(name) ?? 0));
  }
  return { fitting, leftOut: Array.from(tooLong, ([name, tokens]) => ({ name, tokens })) };
}
