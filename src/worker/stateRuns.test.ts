/** What of an adapter's record and its run's stands for how it was trained. */
import { expect, test } from "vitest";
import { lastState } from "../storage/adapterStore.ts";
import type { AdapterRecord, RunRecord } from "../storage/database.ts";
import { compareStates, FRESH } from "../train/compareRuns.ts";
import { PRESETS } from "../train/presets.ts";
import { madeOf } from "./stateRuns.ts";

const config = { ...PRESETS.sft.quick };
const training = { stage: "sft", parent: null, config, steps: 6, totalSteps: 24, lastLoss: 1, documents: 12 } as const;
const adapter = (id: string, change: Partial<AdapterRecord> = {}): AdapterRecord => ({
  ...{
    id,
    name: `Kitchen ${id}`,
    model: "f",
    modelName: "OBP Mini",
    createdAt: 1,
    configJson: "{}",
    rank: 8,
    alpha: 16,
  },
  ...{ targets: [], file: id, bytes: 1, training },
  ...change,
});
const run = (id: string, data: string): RunRecord => ({
  ...{ id, name: id, stage: "sft", parent: null, model: "f", modelName: "OBP Mini", startedAt: 1, status: "finished" },
  ...{ config, totalSteps: 24, seconds: 1, alarms: [], scores: [], pinned: false, checkpoints: [] },
  logs: Array.from({ length: 24 }, () => ({})),
  environment: { obp: "0.1.0", browser: "b", webgpuAdapter: "a", data },
});

test("settings, model, data and start of a training; its last state has the steps of its run", () => {
  const adapters = [adapter("a")];
  const made = madeOf("a", adapters, [run("a", "dd")]);
  expect(made).toEqual({
    ...{ run: "a", config, start: FRESH, steps: 6 },
    model: { id: "f", label: "OBP Mini", kind: "fingerprint" },
    data: { id: "dd", label: "12 documents", kind: "studio" },
  });
  const last = madeOf(lastState("a"), adapters, [run("a", "dd")]);
  const states = [
    { name: "best", made },
    { name: "last", made: last },
  ];
  expect(compareStates(states)?.text).toBe("Configurations: steps 6 | 24. The same training.");
});

test("the adapter that a training began with has its name, or is gone", () => {
  const dpo = { ...training, stage: "dpo", parent: "a", config: { ...PRESETS.dpo.quick } } as const;
  const second = adapter("b", { training: dpo });
  expect(madeOf("b", [second, adapter("a")], [])).toMatchObject({ start: { label: "Kitchen a" }, data: null });
  expect(madeOf("b", [second], [])).toMatchObject({ start: { id: "a", label: "a deleted adapter" } });
});

test("what is not recorded, or of another version, or deleted, is unknown; an import has what it came with", () => {
  expect(madeOf(null, [], [])).toBe("base");
  expect(madeOf("a", [], [])).toBe("unknown");
  expect(madeOf("a", [adapter("a", { training: null })], [])).toBe("unknown");
  expect(madeOf("a", [adapter("a", { training: { ...training, config: null } })], [])).toBe("unknown");
  expect(madeOf("a", [adapter("a", { training: { ...training, config: { lr: 1 } } })], [])).toBe("unknown");
  const imported = { config: JSON.stringify(config), environment: null };
  expect(madeOf("a", [adapter("a", { training: null, imported })], [])).toMatchObject({ config, model: null });
});
