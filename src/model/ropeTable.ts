/** Angles of rotary position embedding, in f64 on the CPU. */
import type { LlamaConfig } from "./gguf/config.ts";

/**
 * (cos, sin) pairs, (positions, headDim/2, 2): pair i of position t turns by t·theta^(−2i/D) / factor_i.
 * Su et al. 2021, eq. 15; the factors are Llama 3.1's frequency scaling as GGUF stores it.
 */
export function ropeTable(
  config: Pick<LlamaConfig, "headDim" | "ropeTheta" | "ropeFactors">,
  positions: number,
): Float32Array {
  const half = config.headDim / 2;
  const table = new Float32Array(positions * half * 2);
  for (let i = 0; i < half; i++) {
    const frequency = config.ropeTheta ** ((-2 * i) / config.headDim) / (config.ropeFactors?.[i] ?? 1);
    for (let t = 0; t < positions; t++) {
      const at = 2 * (t * half + i);
      table[at] = Math.cos(t * frequency);
      table[at + 1] = Math.sin(t * frequency);
    }
  }
  return table;
}
