/** Preference pairs as token ids: two answers behind one prompt. */
import { forward, type Pass, PLAIN_PASS, writeTokens } from "../model/forward.ts";
import { Head, type SupervisedRow } from "../model/head.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { Workspace } from "../model/workspace.ts";
import { longestExample, type PackedOptions, readTokens, supervisedRows, type TrainExample } from "./examples.ts";
import { PACK_TOKENS, type Pack, packCapacity, packExamples } from "./packing.ts";

/** log π(y|x) of both answers, nats: sums over the response's tokens, end token included. */
export interface PairLogprobs {
  readonly chosen: number;
  readonly rejected: number;
}

/** An answer behind its prompt. */
export type Answer = Pick<TrainExample, "name" | "ids" | "responseStart">;

type Unnamed = Omit<Answer, "name">;

export interface DpoPair {
  readonly name: string;
  /** The pair's tokens: those of the chosen answer, then the rejected one's own, behind what both begin with. */
  readonly ids: readonly number[];
  readonly chosen: Answer;
  readonly rejected: Answer;
}

/** A pair with what the frozen reference policy thinks of it. */
export interface DpoExample extends DpoPair {
  readonly reference: PairLogprobs;
}

/** @throws Error where the answers are the same, or the prompts differ */
export function dpoPair(name: string, chosen: Unnamed, rejected: Unnamed): DpoPair {
  const limit = Math.min(chosen.ids.length, rejected.ids.length);
  let shared = 0;
  while (shared < limit && chosen.ids[shared] === rejected.ids[shared]) {
    shared++;
  }
  if (shared === chosen.ids.length && shared === rejected.ids.length) {
    throw new Error(`expected two different answers in ${name}, got the same one twice (leave the pair out)`);
  }
  // A token may hold the end of the prompt and the beginning of an answer: then the prompts' own tokens differ by one.
  const prompt = Math.min(chosen.responseStart, rejected.responseStart);
  if (shared < prompt) {
    throw new Error(
      `expected both answers of ${name} behind the same prompt, got prompts that differ at token ${shared} of ${prompt}`,
    );
  }
  const answer = ({ ids, responseStart }: Unnamed): Answer => ({ name, ids, responseStart });
  const ids = [...chosen.ids, ...rejected.ids.slice(shared)];
  return { name, ids, chosen: answer(chosen), rejected: answer(rejected) };
}

/** Both answers, the chosen one first: packing lays them behind what they have in common, prompt and all. */
export function pairSequences({ chosen, rejected }: DpoPair): readonly (readonly number[])[] {
  return [readTokens(chosen), readTokens(rejected)];
}

/** Supervised rows of the answers of a pack's pairs, chosen and rejected in turn; each row and label once. */
export interface PairTargets {
  readonly targets: readonly SupervisedRow[];
  /** Of each answer, which targets are its own. */
  readonly answers: readonly (readonly number[])[];
}

/** Answers with the same beginning have their targets there in common. */
export function pairTargets({ examples, rows }: Pack<DpoPair>): PairTargets {
  const targets: SupervisedRow[] = [];
  const known = new Map<string, number>();
  const answers = examples.flatMap(({ chosen, rejected }, i) =>
    [chosen, rejected].map((answer, side) =>
      supervisedRows(answer, rows[i]?.[side]).map((target) => {
        const key = `${target.row} ${target.label}`;
        const index = known.get(key) ?? targets.push(target) - 1;
        known.set(key, index);
        return index;
      }),
    ),
  );
  return { targets, answers };
}

/** Each pair with the reference's log-probabilities of the same place. */
export function withReference(pairs: readonly DpoPair[], logprobs: readonly PairLogprobs[]): DpoExample[] {
  return pairs.map((pair, i) => ({ ...pair, reference: logprobs[i] ?? { chosen: NaN, rejected: NaN } }));
}

/** log π of both answers of each pair, without dropout. */
export async function pairLogprobs(
  llama: Llama,
  lora: Lora | null,
  pairs: readonly DpoPair[],
  { signal, onProgress, packTokens = PACK_TOKENS }: PackedOptions = {},
): Promise<PairLogprobs[]> {
  const capacity = packCapacity(packTokens, longestExample(pairs), pairs.length);
  const workspace = new Workspace(llama, capacity, lora?.R ?? 4, "inference");
  const head = new Head(llama);
  try {
    const results: PairLogprobs[] = [];
    for (const pack of packExamples(pairs, pairSequences, packTokens)) {
      signal?.throwIfAborted();
      const { ids, tree, examples } = pack;
      const pass: Pass = { ...PLAIN_PASS, llama, lora, workspace, rows: ids.length, tree };
      writeTokens(pass, ids);
      await forward(pass);
      const { targets, answers } = pairTargets(pack);
      const logprobs = await head.logprobs(workspace.residual[llama.config.layers] as GPUBuffer, targets);
      const sums = answers.map((own) => own.reduce((sum, target) => sum + (logprobs[target] ?? NaN), 0));
      examples.forEach((_, i) => results.push({ chosen: sums[2 * i] ?? NaN, rejected: sums[2 * i + 1] ?? NaN }));
      onProgress?.(results.length, pairs.length);
    }
    return results;
  } finally {
    workspace.destroy();
    head.destroy();
  }
}
