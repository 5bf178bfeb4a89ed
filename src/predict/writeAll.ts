// Answers to many prompts, several written side by side.

import { type Decoder, PLACES, type PrefixParts } from "../model/decoder.ts";
import { chooseAmong, chooseOfAll, type Choice } from "./choose.ts";
import type { Answer, Guess, Writer } from "./writers.ts";

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
    await step(decoder, active);
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

/** Runs what is unread of all answers, and guesses behind it; takes the choices that follow, as far as those are right. */
async function step<A>(decoder: Decoder, active: readonly Active<A>[]): Promise<void> {
  const guesses = guessAll(decoder, active);
  const runs = active.map(({ branch, unread }, i) => {
    const parts = [unread, ...(guesses[i] ?? []).map(({ ids }) => ids)];
    let end = 0;
    return { branch, ids: parts.flat(), places: parts.map(({ length }) => (end += length)) };
  });
  await decoder.append(runs);
  const choices = await chooseAll(decoder, active, guesses);
  for (const [i, one] of active.entries()) {
    const wrong = [...(guesses[i] ?? [])];
    for (const choice of choices[i] ?? []) {
      one.writer.take(choice);
      one.unread = one.writer.unread();
      if (one.unread[0] !== wrong[0]?.ids[0]) break;
      wrong.shift(); // it was right, and has been run
    }
    decoder.cut(one.branch, wrong.flatMap(({ ids }) => ids).length);
  }
}

/** Guesses of each answer, as many as cost a forward hardly anything. */
function guessAll<A>(decoder: Decoder, active: readonly Active<A>[]): Guess[][] {
  let spare = decoder.spareRows(active.reduce((sum, { unread }) => sum + unread.length, 0));
  return active.map(({ branch, writer, unread }) => {
    const guesses = spare > 0 ? writer.guesses(PLACES - 1) : [];
    let room = decoder.roomIn(branch) - unread.length;
    const tooLong = guesses.findIndex(({ ids }) => {
      [spare, room] = [spare - ids.length, room - ids.length];
      return Math.min(spare, room) < 0;
    });
    if (tooLong === -1) return guesses;
    spare += guesses[tooLong]?.ids.length ?? 0; // it is left out
    return guesses.slice(0, tooLong);
  });
}

/** The choice at each place of each answer. */
async function chooseAll<A>(
  decoder: Decoder,
  active: readonly Active<A>[],
  guesses: readonly (readonly Guess[])[],
): Promise<Choice[][]> {
  const asked = active.map(({ branch, writer }, i) =>
    [{ allowed: writer.allowed() }, ...(guesses[i] ?? [])].map(({ allowed }, place) => ({ branch, place, allowed })),
  );
  const picked = await decoder.pickedLogits(
    asked.flat().flatMap(({ allowed, ...where }) => (allowed === null ? [] : [{ ...where, ids: allowed }])),
  );
  const choices: Choice[][] = [];
  let next = 0;
  for (const places of asked) {
    const own: Choice[] = [];
    for (const { branch, place, allowed } of places) {
      own.push(
        allowed === null
          ? chooseOfAll(await decoder.logits(branch, place))
          : chooseAmong(picked[next++] as Float32Array, allowed),
      );
    }
    choices.push(own);
  }
  return choices;
}
