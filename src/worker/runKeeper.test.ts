import { afterEach, describe, expect, it, vi } from "vitest";
import { chooseKernels } from "../gpu/kernelChoice.ts";
import type { RunInputs, RunRecord } from "../storage/database.ts";
import { STAGE_DEFAULTS } from "../train/presets.ts";
import { writeCheckpoint } from "../train/checkpoint.ts";
import { identityOf, latestState, recordOf, runAt, runOf, runsOf } from "./runKeeper.ts";

const record: RunRecord = {
  ...{ id: "a", name: "Kitchen notes 1", stage: "dpo", parent: "p", model: "m", modelName: "mini", startedAt: 1 },
  ...{ status: "running", config: { stage: "dpo", beta: 0.5 }, totalSteps: 2, seconds: 1, alarms: [] },
  ...{ scores: [], pinned: false, checkpoints: [] },
  logs: [{ step: 1, epoch: 1, loss: 2, learning_rate: 1, grad_norm: 1, num_tokens: 1 }],
};
const inputs: RunInputs = {
  ...{ id: "a", heldout: [], evaluate: "never", pairs: null, corpora: [], corpusTypes: [], next: [] },
  documents: [{ id: "1", text: "Simmer the tomatoes", entities: [{ start: 11, end: 19, type: "ingredient" }] }],
  types: [{ name: "ingredient", definition: "food" }],
};

describe("runs as they were kept", () => {
  it("take settings that an earlier version did not have from the stage's defaults, and one prompt a pass", () => {
    expect(runOf(record).config).toEqual({ ...STAGE_DEFAULTS.dpo, beta: 0.5, packTokens: 0 });
    expect(runOf(recordOf(runOf(record)))).toEqual(runOf(record));
  });

  it("name a setting that is not known, and leave that run out of the list", () => {
    const other = { ...record, config: { stage: "dpo", betta: 0.5 } };
    expect(() => runOf(other)).toThrow(/training "Kitchen notes 1", got betta/);
    expect(runsOf([other, record]).map(({ name }) => name)).toEqual(["Kitchen notes 1"]);
  });

  it("are told apart by model, adapter, settings and data", async () => {
    const run = runOf(record);
    const own = await identityOf(run, inputs);
    expect(own).toMatchObject({ model: "m", start: "p", config: run.config });
    expect(own.data).toMatch(/^[0-9a-f]{64}$/);
    expect((await identityOf(run, { ...inputs, heldout: inputs.documents })).data).toBe(own.data);
    const relabelled = inputs.documents.map((document) => ({ ...document, entities: [] }));
    expect((await identityOf(run, { ...inputs, documents: relabelled })).data).not.toBe(own.data);
    expect((await identityOf(run, { ...inputs, types: [] })).data).not.toBe(own.data);
  });
});

describe("going on with a run", () => {
  const page = [Float32Array.of(1, 2)];
  const state = { stepsDone: 2, tokensSeen: 2, weights: page, m: page, v: page };
  const score = (step: number) => ({ step, epoch: step, precision: 1, recall: 1, f1: 1, boundaryErrorRate: 0 });
  const log = { step: 1, epoch: 1, loss: 2, learning_rate: 1, grad_norm: 1, num_tokens: 1 };
  const run = runOf({
    ...record,
    logs: [1, 2, 3].map((step) => ({ ...log, step })),
    scores: [score(1), score(3)],
    alarms: ["margins"],
    checkpoints: [3, 2].map((step) => ({ file: `a.${step}`, step })),
  });
  const identity = { config: run.config, model: run.model, data: "da7a", start: "p" };
  const kernels = chooseKernels("registers", 0);
  const whole = writeCheckpoint({ state, identity, kernels });
  const cut = whole.subarray(0, whole.length / 2);

  /** Files of the browser's storage, and what is said of those that are damaged. */
  async function resume(files: Record<string, Uint8Array<ArrayBuffer>>) {
    const getFileHandle = (name: string) =>
      name in files
        ? Promise.resolve({ getFile: () => Promise.resolve(new File([files[name] ?? ""], name)) })
        : Promise.reject(new DOMException("no such file", "NotFoundError"));
    const getDirectoryHandle = () => Promise.resolve({ getFileHandle });
    vi.stubGlobal("navigator", { storage: { getDirectory: () => Promise.resolve({ getDirectoryHandle }) } });
    const said: string[] = [];
    const found = await latestState(run, identity, (message) => said.push(message));
    return { found, said, begun: runAt(run, found?.state ?? null) };
  }
  afterEach(() => void vi.unstubAllGlobals());

  it("takes the state before a damaged one, with the steps and scores up to it", async () => {
    const { found, said, begun } = await resume({ "a.3": cut, "a.2": whole });
    expect(found).toEqual({ state, identity, kernels });
    expect(said).toEqual([expect.stringMatching(/^The state after step 3 cannot be used: expected/)]);
    expect([begun.logs.length, begun.scores, begun.alarms]).toEqual([2, [score(1)], ["margins"]]);
  });

  it("begins afresh where all are damaged or gone, and says so", async () => {
    const { found, said, begun } = await resume({ "a.3": cut });
    expect(found).toBeNull();
    expect(said).toEqual([
      expect.stringMatching(/^The state after step 3 cannot be used/),
      expect.stringMatching(/^The state after step 2 cannot be used: expected the file a.2/),
      'No state of "Kitchen notes 1" can be used: it begins afresh, on the same data with the same seed.',
    ]);
    expect(begun).toMatchObject({ logs: [], scores: [], alarms: [], seconds: 0, status: "running" });
  });

  it("is refused with a state of other data, which stays", async () => {
    const other = writeCheckpoint({ state, identity: { ...identity, data: "d" }, kernels });
    await expect(resume({ "a.3": other, "a.2": whole })).rejects.toThrow(
      "expected the training data of the checkpoint",
    );
  });
});
