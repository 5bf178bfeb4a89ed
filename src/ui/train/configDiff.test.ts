import { expect, it } from "vitest";
import { PRESETS } from "../../train/presets.ts";
import type { AdapterRecord } from "../../storage/database.ts";
import type { Run } from "../../worker/protocol.ts";
import { configDiff, runBefore, stagesText } from "./configDiff.ts";

const { sft, dpo } = PRESETS;

it("configDiff names what changed, and nothing else", () => {
  expect(configDiff(sft.paper, sft.paper)).toEqual([]);
  const changed = { ...sft.paper, learningRate: 0.002, maxSteps: 4, targets: ["q_proj", "v_proj"] as const };
  expect(configDiff(changed, sft.paper)).toEqual([
    "LoRA targets q k v o → q v",
    "Learning rate 0.0003 → 0.002",
    "Step limit none → 4",
  ]);
});

it("runBefore is the last one of the same stage", () => {
  const run = (id: string, startedAt: number, config: Run["config"]): Run => ({
    ...{ id, name: id, stage: "sft", parent: null, model: "m", modelName: "m", status: "finished", config, startedAt },
    ...{ totalSteps: 1, seconds: 1, logs: [], alarms: [], scores: [], pinned: false, checkpoints: [] },
  });
  const runs = [run("d", 4, sft.quick), run("c", 3, dpo.quick), run("b", 2, sft.paper), run("a", 1, sft.paper)];
  const before = runs.map((one) => runBefore(one, runs)?.id);
  expect(before).toEqual(["b", undefined, "a", undefined]);
});

it("stagesText follows the adapters that a run began with", () => {
  const adapter = (id: string, stage: "source" | "sft+cl" | null, parent: string | null): AdapterRecord => ({
    ...{ id, name: id, model: "m", modelName: "m", createdAt: 1, configJson: "{}", rank: 8, alpha: 16, targets: [] },
    ...{ file: id, bytes: 1 },
    training: stage && { stage, parent, config: null, steps: 1, totalSteps: 1, lastLoss: 1, documents: 1 },
  });
  const adapters = [adapter("c", "sft+cl", "a"), adapter("a", "source", null), adapter("i", null, null)];
  expect(stagesText({ stage: "dpo", parent: "c" }, adapters)).toBe("Source → SFT + CL → DPO");
  expect(stagesText({ stage: "sft", parent: null }, adapters)).toBe("SFT");
  expect(stagesText({ stage: "dpo", parent: "i" }, adapters)).toBe("imported → DPO");
  expect(stagesText({ stage: "dpo", parent: "deleted" }, adapters)).toBe("DPO");
  expect(stagesText({ stage: "dpo", parent: "x" }, [adapter("x", "sft+cl", "x")])).toBe("SFT + CL → DPO");
});
