import { expect, it } from "vitest";
import type { AdapterRecord, TrainedStage } from "../../storage/database.ts";
import type { ModelState } from "../../worker/protocol.ts";
import { startAdapter, startAdapters } from "./startAdapter.ts";

function adapter(id: string, stage: TrainedStage | null, createdAt: number, model: string | null): AdapterRecord {
  return {
    ...{ id, name: id, model, modelName: "m", createdAt, configJson: "{}", rank: 8, alpha: 16, targets: [] },
    ...{ file: id, bytes: 1 },
    training: stage && { stage, parent: null, config: null, steps: 1, totalSteps: 1, lastLoss: 1, documents: 1 },
  };
}

const model = { kind: "open", facts: { fingerprint: "here" }, gpuBytes: 0 } as ModelState;
const adapters = [
  adapter("imported", null, 9, null),
  adapter("old", "sft", 1, "here"),
  adapter("new", "sft+cl", 2, "here"),
  adapter("preferences", "dpo", 3, "here"),
  adapter("elsewhere", "sft", 4, "there"),
  adapter("corpora", "source", 5, "here"),
];
const known = { adapters, model };
const none = { sft: null, dpo: null };

it("DPO begins with the newest SFT adapter of the model, or the chosen one", () => {
  expect(startAdapters("dpo", known).map(({ id }) => id)).toEqual(["new", "old", "corpora", "imported"]);
  expect(startAdapter("dpo", none, known)?.id).toBe("new");
  expect(startAdapter("dpo", { ...none, dpo: "old" }, known)?.id).toBe("old");
  expect(startAdapter("dpo", { ...none, dpo: "preferences" }, known)?.id).toBe("new");
  expect(startAdapter("dpo", none, { adapters: [], model })).toBeNull();
});

it("SFT begins with a fresh adapter unless one is chosen, source pre-training always", () => {
  expect(startAdapters("sft", known).map(({ id }) => id)).toEqual(["corpora", "new", "old", "imported"]);
  expect(startAdapter("sft", none, known)).toBeNull();
  expect(startAdapter("sft", { ...none, sft: "corpora" }, known)?.id).toBe("corpora");
  expect(startAdapter("sft", { ...none, sft: "elsewhere" }, known)).toBeNull();
  expect(startAdapters("source", known)).toEqual([]);
  expect(startAdapter("source", { sft: "old", dpo: "old" }, known)).toBeNull();
});
