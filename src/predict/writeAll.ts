// Answers to many prompts, several written side by side.

import type { Decoder } from "../model/decoder.ts";
import { chooseAmong, chooseOfAll, type Choice } from "./choose.ts";
import type { Answer, Writer } from "./writers.ts";

export interface Asked {
  readonly ids: readonly number[];
  /** Made when its turn comes. */
  readonly writer: () => Writer;
}

interface Active<A> {
  readonly asked: A;
  readonly branch: number;
  readonly writer: Writer;
  /** Ids to be run before the next choice. */
  unread: readonly number[];
}

/**
 * The prompts go behind the beginning they have in common; as one answer ends, the next prompt takes its place.
 * @param prompts of two tokens at least
 * @yields each prompt's answer as it ends; null when it outgrows the decoder's cache: half an answer is none
 */
export async function* writeAll<A extends Asked>(
  decoder: Decoder,
  prompts: readonly A[],
  signal: AbortSignal | undefined,
): AsyncGenerator<{ asked: A; answer: Answer | null }> {
  const shared = sharedLength(prompts.map(({ ids }) => ids));
  await decoder.begin(prompts[0]?.ids.slice(0, shared) ?? []);
  const free = Array.from({ length: decoder.size.branches }, (_, branch) => branch);
  const waiting = [...prompts];
  let active: Active<A>[] = [];
  while (waiting.length > 0 || active.length > 0) {
    signal?.throwIfAborted();
    while (free.length > 0 && waiting.length > 0) {
      const [asked, branch] = [waiting.shift() as A, free.pop() as number];
      decoder.restart(branch);
      const writer = asked.writer();
      active.push({ asked, branch, writer, unread: [...asked.ids.slice(shared), ...writer.unread()] });
    }
    const ended = active.filter((one) => one.writer.done || one.unread.length > decoder.roomIn(one.branch));
    for (const { asked, branch, writer } of ended) {
      free.push(branch);
      yield { asked, answer: writer.done ? writer.answer() : null };
    }
    active = active.filter((one) => !ended.includes(one));
    if (active.length === 0) continue;
    await decoder.append(active.map(({ branch, unread }) => ({ branch, ids: unread })));
    const choices = await chooseAll(decoder, active);
    for (const [index, one] of active.entries()) {
      one.writer.take(choices[index] as Choice);
      one.unread = one.writer.unread();
    }
  }
}

/** Tokens that all have in common at their beginning; a last one of each is left to be run apart. */
export function sharedLength(prompts: readonly (readonly number[])[]): number {
  const [first = [], ...others] = prompts;
  const differs = first.findIndex((id, index) => others.some((ids) => ids[index] !== id));
  const most = prompts.reduce((least, ids) => Math.min(least, ids.length - 1), Infinity);
  return Math.min(differs === -1 ? first.length : differs, most);
}

async function chooseAll<A>(decoder: Decoder, active: readonly Active<A>[]): Promise<Choice[]> {
  const asked = active.map(({ branch, writer }) => ({ branch, ids: writer.allowed() }));
  const few = asked.filter((one): one is { branch: number; ids: readonly number[] } => one.ids !== null);
  const picked = await decoder.pickedLogits(few);
  const choices: Choice[] = [];
  for (const { branch, ids } of asked) {
    const logits = picked[few.findIndex((one) => one.branch === branch)];
    choices.push(
      ids === null || logits === undefined ? chooseOfAll(await decoder.logits(branch)) : chooseAmong(logits, ids),
    );
  }
  return choices;
}
