/** Preference pairs as token ids: one beginning, which the model reads once, and two continuations. */
import { forward, type Pass, PLAIN_PASS, writeTokens } from "../model/forward.ts";
import { Head, type SupervisedRow } from "../model/head.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import type { RowTree } from "../model/rowTree.ts";
import { Workspace } from "../model/workspace.ts";
import { type ExamplesOptions, longestExample, type TrainExample } from "./examples.ts";

/** log π(y|x) of both answers, nats: sums over the response's tokens, end token included. */
export interface PairLogprobs {
  readonly chosen: number;
  readonly rejected: number;
}

export interface DpoPair {
  readonly name: string;
  readonly ids: readonly number[];
  /** What both begin with, and the two continuations under it. */
  readonly tree: RowTree;
  /** Rows whose next token belongs to each answer. */
  readonly chosen: readonly SupervisedRow[];
  readonly rejected: readonly SupervisedRow[];
}

type Encoded = Pick<TrainExample, "ids" | "responseStart">;

/** A pair with what the frozen reference policy thinks of it. */
export interface DpoExample extends DpoPair {
  readonly reference: PairLogprobs;
}

/**
 * Lays both answers behind the tokens they have in common, prompt and all: those run once.
 * @throws Error where the answers are the same, or the prompts differ
 */
export function dpoPair(name: string, chosen: Encoded, rejected: Encoded): DpoPair {
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
  // Where one answer is the beginning of the other, its last token is kept: each branch has a row of its own.
  shared = Math.min(shared, limit - 1);
  const ids = [...chosen.ids, ...rejected.ids.slice(shared)];
  const middle = chosen.ids.length;
  const rows = ({ ids: all, responseStart }: Encoded, first: number): SupervisedRow[] =>
    all.slice(responseStart).map((label, i) => {
      const row = responseStart - 1 + i;
      return { row: row < shared ? row : first + row - shared, label };
    });
  const branch = (count: number) => ({ count, parent: 0 });
  const nodes = [{ count: shared, parent: null }, branch(middle - shared), branch(ids.length - middle)];
  return { name, ids, tree: { nodes }, chosen: rows(chosen, shared), rejected: rows(rejected, middle) };
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
  { signal, onProgress }: ExamplesOptions = {},
): Promise<PairLogprobs[]> {
  const workspace = new Workspace(llama, longestExample(pairs), lora?.R ?? 4, "inference");
  const head = new Head(llama);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  try {
    const results: PairLogprobs[] = [];
    for (const { ids, tree, chosen, rejected } of pairs) {
      signal?.throwIfAborted();
      const pass: Pass = { ...PLAIN_PASS, llama, lora, workspace, rows: ids.length, tree };
      writeTokens(pass, ids);
      await forward(pass);
      const hidden = workspace.residual[llama.config.layers] as GPUBuffer;
      results.push({
        chosen: sum(await head.logprobs(hidden, chosen)),
        rejected: sum(await head.logprobs(hidden, rejected)),
      });
      onProgress?.(results.length, pairs.length);
    }
    return results;
  } finally {
    workspace.destroy();
    head.destroy();
  }
}
