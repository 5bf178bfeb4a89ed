import { describe, expect, test } from "vitest";
import { chooseKernels } from "../gpu/kernelChoice.ts";
import { writeSafetensors } from "../model/adapters/safetensors.ts";
import {
  type Checkpoint,
  checkSameRun,
  CheckpointVersionError,
  readCheckpoint,
  writeCheckpoint,
} from "./checkpoint.ts";
import { PAPER_SFT, type TrainConfig } from "./config.ts";

const page = (...values: number[]) => Float32Array.from(values);
const checkpoint: Checkpoint = {
  state: {
    ...{ stepsDone: 7, tokensSeen: 900 },
    weights: [page(1, 2, 3), page(4)],
    m: [page(0.1, -0, 1e-30), page(5)],
    v: [page(6, 7, 8), page(9)],
  },
  identity: { config: PAPER_SFT, model: "aaaa", data: "bbbb", start: "" },
  kernels: chooseKernels("registers", 0),
};

describe("a checkpoint", () => {
  test("comes back bit for bit", () => {
    expect(readCheckpoint(writeCheckpoint(checkpoint))).toEqual(checkpoint);
  });

  test("of a version that did not record kernels says so", () => {
    const { state, identity } = checkpoint;
    const old = writeCheckpoint({ state, identity, kernels: null });
    expect(readCheckpoint(old)).toEqual({ state, identity, kernels: null });
  });

  test("cut anywhere is an error, never half a state", () => {
    const bytes = writeCheckpoint(checkpoint);
    for (let length = 0; length < bytes.length; length += 7) {
      expect(() => readCheckpoint(bytes.subarray(0, length))).toThrow(/^expected/u);
    }
  });

  test("another safetensors file, and one of another version, are refused", () => {
    expect(() => readCheckpoint(writeSafetensors(new Map(), { format: "pt" }))).toThrow("another safetensors file?");
    const run = JSON.stringify({ version: 9, stepsDone: 1, tokensSeen: 1, pages: 0 });
    expect(() => readCheckpoint(writeSafetensors(new Map(), { run }))).toThrow(CheckpointVersionError);
  });
});

describe("going on from it", () => {
  const { identity } = checkpoint;
  test("asks for the same model, data, start and settings, and says which differs", () => {
    expect(() => checkSameRun(identity, identity)).not.toThrow();
    expect(() => checkSameRun(identity, { ...identity, model: "cccc" })).toThrow(
      "expected the model file of the checkpoint",
    );
    expect(() => checkSameRun(identity, { ...identity, data: "cccc" })).toThrow("(hash bbbb), got another (hash cccc)");
    expect(() => checkSameRun(identity, { ...identity, start: "d" })).toThrow("(hash none)");
    const seed = { ...identity, config: { ...PAPER_SFT, seed: 1 } };
    expect(() => checkSameRun(identity, seed)).toThrow("expected seed 42, as in the checkpoint, got 1");
  });

  test("of a run before there was packing: one prompt a pass, no other", () => {
    const config = Object.fromEntries(Object.entries(PAPER_SFT).filter(([name]) => name !== "packTokens"));
    const old = { ...checkpoint, identity: { ...identity, config: config as unknown as TrainConfig } };
    const { identity: saved } = readCheckpoint(writeCheckpoint(old));
    expect(() => checkSameRun(saved, { ...identity, config: { ...PAPER_SFT, packTokens: 0 } })).not.toThrow();
    expect(() => checkSameRun(saved, identity)).toThrow("expected packTokens 0, as in the checkpoint, got 512");
  });

  test("lets the run be saved more or less often", () => {
    expect(() => checkSameRun(identity, { ...identity, config: { ...PAPER_SFT, saveSteps: 1 } })).not.toThrow();
  });
});
