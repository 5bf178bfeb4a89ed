import { expect, test } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { Head } from "./head.ts";
import { forward, PLAIN_PASS, writeTokens } from "./forward.ts";
import { linearType, embeddingType, headType } from "./quantizationMix.ts";
import { randomLlama } from "./randomModel.ts";
import { shapeOf } from "./shapes.ts";
import { Workspace } from "./workspace.ts";

const gpu = await testGpu();

function llama8b() {
  const config = shapeOf("llama-3.1-8b");
  if (config === undefined) throw new Error("expected the shape of Llama 3.1 8B");
  return config;
}

test("the mixes are llama.cpp's: counts of types in an 8B's Q4_K_M file", () => {
  const counts = { Q4_K: 0, Q6_K: 0 };
  for (let layer = 0; layer < 32; layer++) {
    for (const target of ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const) {
      counts[linearType("Q4_K_M", target, { layer, layers: 32, K: 4096 }) as "Q4_K" | "Q6_K"]++;
    }
  }
  // A published file has 193 Q4_K (embedding included) and 33 Q6_K (head included).
  expect(counts).toEqual({ Q4_K: 192, Q6_K: 32 });
  expect(embeddingType("Q4_K_M", false, 4096)).toBe("Q4_K");
  expect(embeddingType("Q4_K_M", true, 2048)).toBe("Q6_K");
  expect(headType(4096)).toBe("Q6_K");
  expect(linearType("Q4_K_M", "q_proj", { layer: 3, layers: 30, K: 576 })).toBe("Q5_0");
});

test("Llama 3.1's factors of RoPE: fast pairs are kept, slow ones turn an eighth as far", () => {
  const factors = llama8b().ropeFactors ?? [];
  expect(factors.length).toBe(64);
  expect(factors[0]).toBe(1);
  expect(factors[63]).toBe(8);
  expect([...factors].every((factor, i) => i === 0 || factor >= (factors[i - 1] ?? 0))).toBe(true);
});

test.each(["Q4_0", "Q4_K_M"] as const)(
  "a small random model in %s: its bytes, and logits like those of an untrained one",
  async (mix) => {
    const sizes = {
      layers: 2,
      hiddenSize: 256,
      heads: 4,
      kvHeads: 2,
      headDim: 64,
      feedForwardSize: 512,
      vocabSize: 1000,
    };
    const config = { ...llama8b(), ...sizes, ropeFactors: null };
    const llama = await randomLlama(gpu, config, mix);
    const perWeight = { Q4_0: 0.5625, Q4_K: 0.578125, Q6_K: 0.828125 };
    const [plain, more] = mix === "Q4_0" ? (["Q4_0", "Q4_0"] as const) : (["Q4_K", "Q6_K"] as const);
    const layer = 256 * (256 + 128 + 256 + 512 + 512);
    const valueAndDown = 256 * (128 + 512); // of two layers the second is in the last eighth
    const expected =
      1000 * 256 * (perWeight[plain] + perWeight.Q6_K) +
      2 * layer * perWeight[plain] +
      valueAndDown * (perWeight[plain] + perWeight[more]);
    expect(llama.gpuBytes).toBeGreaterThan(expected);
    expect(llama.gpuBytes).toBeLessThan(expected + 10000);

    const workspace = new Workspace(llama, 4, 4, "inference");
    const pass = { ...PLAIN_PASS, llama, lora: null, workspace, rows: 4 };
    writeTokens(pass, [1, 20, 300, 999]);
    await forward(pass);
    const head = new Head(llama);
    const hidden = workspace.residual[2];
    if (hidden === undefined) throw new Error("expected the last layer's output");
    const logits = await head.logits(hidden, 3);
    // The final norm's output has 256 values of about 1, the head's weights 0.019: logits of about 0.3.
    const deviation = Math.sqrt(logits.reduce((sum, logit) => sum + logit * logit, 0) / logits.length);
    expect(deviation).toBeGreaterThan(0.2);
    expect(deviation).toBeLessThan(0.45);
    head.destroy();
    workspace.destroy();
    llama.destroy();
  },
);
