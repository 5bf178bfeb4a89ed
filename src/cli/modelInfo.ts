// obp model info: what a GGUF holds, and what it needs.
import { readLlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import { packedBytes } from "../model/gguf/pack.ts";
import { modelFlag, openModel } from "./openModel.ts";
import { quantity } from "./progress.ts";
import { defineVerb } from "./verb.ts";

export const verb = defineVerb({
  positionals: { file: { help: modelFlag.help } },
  flags: {},
  example: "npx obp model info bundled",
  async run({ positionals }) {
    const gguf = await openModel(positionals.file);
    const { ropeFactors, ...config } = await readLlamaConfig(gguf);
    const tensorTypes = countTypes(gguf);
    const gpuBytes = { weights: weightBytes(gguf) };
    return {
      json: {
        architecture: "llama",
        ...config,
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
        `file ${quantity(gguf.fileBytes)}B; on the GPU: weights ${quantity(gpuBytes.weights)}B`,
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

/** Bytes of all weights in the engine's own layouts; vectors stay f32. */
function weightBytes(gguf: GgufFile): number {
  let bytes = 0;
  for (const { type, shape } of gguf.tensors.values()) {
    const [N = 1, K] = shape;
    if (K === undefined) {
      bytes += N * 4;
    } else {
      const packed = packedBytes(type, N, K);
      bytes += packed.words + packed.scales;
    }
  }
  return bytes;
}
