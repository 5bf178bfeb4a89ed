/** Known models' sizes, for benchmarks without their files. Sources: their config.json on Hugging Face. */
import type { LlamaConfig } from "./gguf/config.ts";

/** Llama 3.1's scaling of RoPE's frequencies (Meta's apply_scaling): the part of a turn that positions make is cut. */
interface RopeScaling {
  readonly factor: number;
  readonly lowFrequency: number;
  readonly highFrequency: number;
  readonly originalContext: number;
}

const LLAMA3_SPECIAL = { bosTokenId: 128000, eosTokenId: 128009, addBos: true };
const LLAMA3 = { ...LLAMA3_SPECIAL, vocabSize: 128256, ropeTheta: 500000, rmsNormEps: 1e-5, contextLength: 131072 };

const LLAMA_8B: Omit<LlamaConfig, "ropeFactors"> = {
  ...LLAMA3,
  name: "llama-3.1-8b",
  ...{ layers: 32, hiddenSize: 4096, heads: 32, kvHeads: 8, headDim: 128, feedForwardSize: 14336 },
  tiedEmbeddings: false,
};
const LLAMA_1B: Omit<LlamaConfig, "ropeFactors"> = {
  ...LLAMA3,
  name: "llama-3.2-1b",
  ...{ layers: 16, hiddenSize: 2048, heads: 32, kvHeads: 8, headDim: 64, feedForwardSize: 8192 },
  tiedEmbeddings: true,
};
const SMOLLM2: LlamaConfig = {
  name: "smollm2-135m",
  ...{ layers: 30, hiddenSize: 576, heads: 9, kvHeads: 3, headDim: 64, feedForwardSize: 1536 },
  ...{ vocabSize: 49152, contextLength: 8192, ropeTheta: 100000, ropeFactors: null, rmsNormEps: 1e-5 },
  ...{ tiedEmbeddings: true, bosTokenId: 1, eosTokenId: 2, addBos: false },
};

export const SHAPES: readonly LlamaConfig[] = [
  scaled(LLAMA_8B, { factor: 8, lowFrequency: 1, highFrequency: 4, originalContext: 8192 }),
  scaled(LLAMA_1B, { factor: 32, lowFrequency: 1, highFrequency: 4, originalContext: 8192 }),
  SMOLLM2,
];

/** The sizes that a name stands for; undefined where it stands for none. */
export function shapeOf(name: string): LlamaConfig | undefined {
  return SHAPES.find((shape) => shape.name === name);
}

function scaled(config: Omit<LlamaConfig, "ropeFactors">, scaling: RopeScaling): LlamaConfig {
  const { factor, lowFrequency, highFrequency, originalContext } = scaling;
  const ropeFactors = Float32Array.from({ length: config.headDim / 2 }, (_, i) => {
    const turns = originalContext / (2 * Math.PI * config.ropeTheta ** ((2 * i) / config.headDim));
    const kept = Math.min(1, Math.max(0, (turns - lowFrequency) / (highFrequency - lowFrequency)));
    return 1 / ((1 - kept) / factor + kept);
  });
  return { ...config, ropeFactors };
}
