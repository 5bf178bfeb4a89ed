// obp model info: what a GGUF holds, and what it needs.
import { readLlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import { PAPER_SFT } from "../train/config.ts";
import { trainingBytes, weightBytes } from "../train/memory.ts";
import { modelFlag, openModel } from "./openModel.ts";
import { quantity } from "./progress.ts";
import { defineVerb } from "./verb.ts";

/** Length of the prompts that `trainingAt512` is reckoned for. */
const TOKENS = 512;

export const verb = defineVerb({
  positionals: { file: { help: modelFlag.help } },
  flags: {},
  example: "npx obp model info bundled",
  async run({ positionals }) {
    const gguf = await openModel(positionals.file);
    const config = await readLlamaConfig(gguf);
    const { ropeFactors, ...facts } = config;
    const tensorTypes = countTypes(gguf);
    const weights = weightBytes(gguf);
    const gpuBytes = { weights, trainingAt512: weights + trainingBytes(config, PAPER_SFT, TOKENS, "layer") };
    return {
      json: {
        architecture: "llama",
        ...facts,
        ropeFactors: ropeFactors === null ? null : Array.from(ropeFactors),
        tensorTypes,
        fileBytes: gguf.fileBytes,
        gpuBytes,
      },
      text: [
        `${config.name}: Llama, ${config.layers} layers, hidden size ${config.hiddenSize}, feed-forward ${config.feedForwardSize}`,
        `heads ${config.heads} (key-value ${config.kvHeads}) of ${config.headDim}, RoPE theta ${config.ropeTheta}${ropeFactors === null ? "" : ", scaled"}`,
        `vocabulary ${config.vocabSize}${config.tiedEmbeddings ? ", embeddings tied" : ""}, context ${config.contextLength} tokens`,
        `BOS ${config.bosTokenId ?? "none"}${config.addBos ? " (added)" : " (not added)"}, EOS ${config.eosTokenId}`,
        `tensors: ${Object.entries(tensorTypes)
          .map(([type, count]) => `${count} ${type}`)
          .join(", ")}`,
        `file ${quantity(gguf.fileBytes)}B; on the GPU: weights ${quantity(weights)}B, training on ${TOKENS} tokens ${quantity(gpuBytes.trainingAt512)}B in all`,
      ].join("\n"),
    };
  },
});

/** How many tensors there are of each type, most frequent first. */
function countTypes(gguf: GgufFile): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { type } of gguf.tensors.values()) {
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
