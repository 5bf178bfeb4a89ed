// GPU memory that a model needs to predict and to train, and whether this device has it.

import type { LlamaConfig } from "../model/gguf/config.ts";
import type { GgufFile } from "../model/gguf/gguf.ts";
import { cacheBytesPerToken } from "../model/decoder.ts";
import { workspaceBytes } from "../model/workspace.ts";
import { answersSideBySide } from "../predict/predict.ts";
import type { TrainConfig } from "../train/config.ts";
import { trainingBytes, weightBytes } from "../train/memory.ts";
import type { MemoryNeed, ModelMemory } from "./protocol.ts";

export interface DeviceMemory {
  /** GPUSupportedLimits.maxBufferSize; null where there is no device. */
  maxBufferSize: number | null;
  /** Bytes of main memory as navigator.deviceMemory tells (rounded, capped by the browser), or null. */
  mainMemory: number | null;
}

/** What a model needs for prompts and answers of up to `tokens` tokens together. */
export function modelMemory(
  gguf: GgufFile,
  config: LlamaConfig,
  settings: Pick<TrainConfig, "rank" | "targets" | "checkpointing">,
  tokens: number,
  device: DeviceMemory,
): ModelMemory {
  const weights = { name: "weights, left quantized", bytes: weightBytes(gguf) };
  const cache = answersSideBySide(config, tokens) * tokens * cacheBytesPerToken(config);
  const inference = [
    weights,
    { name: "key-value cache", bytes: cache },
    { name: "activations", bytes: workspaceBytes(config, tokens, settings.rank, "inference") },
  ];
  const training = [
    weights,
    {
      name: "activations, adapter, optimizer",
      bytes: trainingBytes(config, settings, tokens, settings.checkpointing),
    },
  ];
  return { tokens, inference: judge(inference, device), training: judge(training, device) };
}

function judge(parts: { name: string; bytes: number }[], device: DeviceMemory): MemoryNeed {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return { bytes, parts, ...verdict(bytes, device) };
}

/** WebGPU tells no size of the GPU's memory: main memory and the largest single buffer are what can be compared with. */
function verdict(bytes: number, { maxBufferSize, mainMemory }: DeviceMemory): Pick<MemoryNeed, "verdict" | "reason"> {
  if (maxBufferSize === null) return { verdict: "no", reason: "there is no WebGPU device" };
  const gigabytes = (value: number): string => `${(value / 1e9).toFixed(value < 1e9 ? 2 : 1)} GB`;
  if (mainMemory === null) {
    const fits = bytes < maxBufferSize;
    return {
      verdict: fits ? "yes" : "tight",
      reason: fits
        ? `even a single buffer may be ${gigabytes(maxBufferSize)} here`
        : "the browser reports neither the GPU's memory nor the machine's: loading it will show",
    };
  }
  const machine = `the browser reports ${gigabytes(mainMemory)} of main memory (it never reports the GPU's)`;
  if (bytes > mainMemory) return { verdict: "no", reason: `more than the machine has: ${machine}` };
  if (bytes > mainMemory / 2) return { verdict: "tight", reason: `over half of it: ${machine}` };
  return { verdict: "yes", reason: machine };
}
