// obp model info: what a GGUF holds, and what it needs.
import { type LlamaConfig, readLlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import {
  decodingParts,
  headWidth,
  type MemoryPart,
  sumParts,
  trainingParts,
  weightParts,
} from "../model/memoryPlan.ts";
import { plannedDecoder } from "../predict/predict.ts";
import { PAPER_SFT } from "../train/config.ts";
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
    const tokens = Math.min(TOKENS, config.contextLength);
    const parts = plannedParts(gguf, config, tokens);
    const weights = sumParts(parts.weights);
    const gpuBytes = {
      weights,
      trainingAt512: weights + sumParts(parts.training),
      inference: weights + sumParts(parts.inference),
    };
    return {
      json: {
        architecture: "llama",
        ...facts,
        ropeFactors: ropeFactors === null ? null : Array.from(ropeFactors),
        tensorTypes,
        fileBytes: gguf.fileBytes,
        gpuBytes,
        gpuParts: parts,
      },
      text: [
        `${config.name}: Llama, ${config.layers} layers, hidden size ${config.hiddenSize}, feed-forward ${config.feedForwardSize}`,
        `heads ${config.heads} (key-value ${config.kvHeads}) of ${config.headDim}, RoPE theta ${config.ropeTheta}${ropeFactors === null ? "" : ", scaled"}`,
        `vocabulary ${config.vocabSize}${config.tiedEmbeddings ? ", embeddings tied" : ""}, context ${config.contextLength} tokens`,
        `BOS ${config.bosTokenId ?? "none"}${config.addBos ? " (added)" : " (not added)"}, EOS ${config.eosTokenId}`,
        `tensors: ${Object.entries(tensorTypes)
          .map(([type, count]) => `${count} ${type}`)
          .join(", ")}`,
        `file ${quantity(gguf.fileBytes)}B; on the GPU: weights ${quantity(weights)}B, with prompts of ${tokens} tokens ${quantity(gpuBytes.inference)}B to predict, ${quantity(gpuBytes.trainingAt512)}B to train`,
      ].join("\n"),
    };
  },
});

/** What the engine asks of the GPU: the paper's adapter, each layer recomputed, everything else at its default. */
function plannedParts(
  gguf: GgufFile,
  config: LlamaConfig,
  tokens: number,
): Readonly<Record<"weights" | "training" | "inference", readonly MemoryPart[]>> {
  const model = { config, tensors: [...gguf.tensors.values()], embeddingInFile: false };
  const training = { ...PAPER_SFT, rows: tokens, checkpointing: "layer" } as const;
  return {
    weights: weightParts(model, tokens),
    training: trainingParts(config, headWidth(model), training),
    inference: decodingParts(model, PAPER_SFT, plannedDecoder(config, tokens)),
  };
}

/** How many tensors there are of each type, most frequent first. */
function countTypes(gguf: GgufFile): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { type } of gguf.tensors.values()) {
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
