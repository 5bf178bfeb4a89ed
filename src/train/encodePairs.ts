/** Prompts with responses of any wording (TRL's columns) as token ids. */
import { encodeResponse, type PromptTokenizer } from "../ner/prompt.ts";
import { type DpoPair, dpoPair } from "./dpoExamples.ts";
import type { TrainExample } from "./examples.ts";
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
