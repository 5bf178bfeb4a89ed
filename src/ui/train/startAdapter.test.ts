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
];

it("DPO begins with the newest SFT adapter of the model, or the chosen one", () => {
  const known = { adapters, model };
  expect(startAdapters(known).map(({ id }) => id)).toEqual(["new", "old", "imported"]);
  expect(startAdapter({ stage: "dpo", parent: null }, known)?.id).toBe("new");
  expect(startAdapter({ stage: "dpo", parent: "old" }, known)?.id).toBe("old");
  expect(startAdapter({ stage: "dpo", parent: "preferences" }, known)?.id).toBe("new");
  expect(startAdapter({ stage: "dpo", parent: null }, { adapters: [], model })).toBeNull();
  expect(startAdapter({ stage: "sft", parent: "old" }, known)).toBeNull();
});
