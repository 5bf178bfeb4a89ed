import { describe, expect, it } from "vitest";
import type { RunInputs, RunRecord } from "../storage/database.ts";
import { STAGE_DEFAULTS } from "../train/presets.ts";
import { identityOf, recordOf, runOf, runsOf } from "./runKeeper.ts";

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
