// Answers to many prompts, several written side by side.

import type { Decoder, PrefixParts } from "../model/decoder.ts";
import { chooseAmong, chooseOfAll, type Choice } from "./choose.ts";
import type { Answer, Writer } from "./writers.ts";

export interface Asked {
  readonly ids: readonly number[];
  /** What `ids` begin with, as it is kept for other prompts; a token at least is left behind it. */
  readonly prefix: PrefixParts;
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
 * Each prompt goes behind its prefix, which is run once as long as the decoder keeps it; as one answer ends, the next
 * prompt takes its place. Where the next prompt's prefix does not fit beside those that are kept, it waits until no
 * answer needs them.
 * @yields each prompt's answer as it ends; null when it outgrows the decoder's cache: half an answer is none
 */
export async function* writeAll<A extends Asked>(
  decoder: Decoder,
  prompts: readonly A[],
  signal: AbortSignal | undefined,
): AsyncGenerator<{ asked: A; answer: Answer | null }> {
  decoder.begin();
  const free = Array.from({ length: decoder.size.branches }, (_, branch) => branch);
  const waiting = [...prompts];
  let active: Active<A>[] = [];
  while (waiting.length > 0 || active.length > 0) {
    signal?.throwIfAborted();
    const turn = nextOnes(decoder, waiting.slice(0, free.length), active.length === 0);
    waiting.splice(0, turn.length);
    await decoder.keep(turn.map(({ prefix }) => prefix));
    for (const asked of turn) {
      const branch = free.pop() as number;
      decoder.restart(branch, asked.prefix);
      const writer = asked.writer();
      const unread = [...asked.ids.slice(asked.prefix.flat().length), ...writer.unread()];
      active.push({ asked, branch, writer, unread });
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

/** The first of those that wait whose prefixes there is room for. @param idle no answer needs the prefixes that are kept */
function nextOnes<A extends Asked>(decoder: Decoder, waiting: readonly A[], idle: boolean): A[] {
  const [first] = waiting;
  if (first === undefined) return [];
  if (idle && !decoder.holds([first.prefix])) decoder.forget();
  const prefixes = waiting.map(({ prefix }) => prefix);
  let count = idle ? 1 : 0;
  while (count < waiting.length && decoder.holds(prefixes.slice(0, count + 1))) count++;
  return waiting.slice(0, count);
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
