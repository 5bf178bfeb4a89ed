/** Log-probabilities of given responses. */
import { forward, type Pass, PLAIN_PASS, writeTokens } from "../model/forward.ts";
import { Head } from "../model/head.ts";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { Workspace } from "../model/workspace.ts";
import { type ExamplesOptions, longestExample, supervisedRows, type TrainExample } from "./examples.ts";

export interface Score {
  /** Sum over the response's tokens (end token included), nats. */
  readonly logprob: number;
  readonly tokenLogprobs: readonly number[];
}

/** log π(response | prompt) of each example, token by token, without dropout. */
export async function scoreExamples(
  llama: Llama,
  lora: Lora | null,
  examples: readonly TrainExample[],
  { signal, onProgress }: ExamplesOptions = {},
): Promise<Score[]> {
  const workspace = new Workspace(llama, longestExample(examples), lora?.R ?? 4, "inference");
  const head = new Head(llama);
  try {
    const scores: Score[] = [];
    for (const example of examples) {
      signal?.throwIfAborted();
      const pass: Pass = { ...PLAIN_PASS, llama, lora, workspace, rows: example.ids.length };
      writeTokens(pass, example.ids);
      await forward(pass);
      const hidden = workspace.residual[llama.config.layers] as GPUBuffer;
      const tokenLogprobs = await head.logprobs(hidden, supervisedRows(example));
      scores.push({ logprob: tokenLogprobs.reduce((sum, value) => sum + value, 0), tokenLogprobs });
      onProgress?.(scores.length, examples.length);
    }
    return scores;
  } finally {
    workspace.destroy();
    head.destroy();
  }
}
