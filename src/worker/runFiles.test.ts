import { expect, it } from "vitest";
import type { RunRecord } from "../storage/database.ts";
import { parseSettings } from "../train/parseSettings.ts";
import { PRESETS } from "../train/presets.ts";
import { runFiles } from "./runFiles.ts";

const log = { step: 1, epoch: 1, loss: 2, learning_rate: 1, grad_norm: 1, num_tokens: 9 };
const run: RunRecord = {
  ...{ id: "a", name: "Kitchen notes 1", stage: "sft", parent: null, model: "f00d", modelName: "mini", startedAt: 0 },
  ...{ status: "finished", config: { ...PRESETS.sft.quick }, totalSteps: 2, seconds: 3, alarms: [] },
  ...{ pinned: false, checkpoints: [], scores: [], logs: [log, { ...log, step: 2 }] },
};

it("tells settings, hashes, environment and every step, in the command line's files", () => {
  const environment = { obp: "1", browser: "b", webgpuAdapter: "gpu", data: "da7a" };
  const files = runFiles({ ...run, environment });
  expect([...files.keys()]).toEqual(["run/config.json", "run/environment.json", "run/log.jsonl"]);
  expect(parseSettings(JSON.parse(files.get("run/config.json") ?? ""), "run/config.json")).toEqual(PRESETS.sft.quick);
  expect(JSON.parse(files.get("run/environment.json") ?? "")).toMatchObject({
    ...environment,
    ...{ model: { name: "mini", fingerprint: "f00d" }, startAdapter: null, steps: 2, seconds: 3 },
    started: "1970-01-01T00:00:00.000Z",
  });
  expect(
    files
      .get("run/log.jsonl")
      ?.trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(run.logs);
});

it("has held-out scores where there are any, and a run of an earlier version", () => {
  const score = { step: 2, epoch: 1, precision: 1, recall: 0.5, f1: 2 / 3, boundaryErrorRate: 0 };
  const files = runFiles({ ...run, scores: [score] });
  expect(JSON.parse(files.get("run/evals.jsonl") ?? "")).toEqual(score);
  expect(JSON.parse(files.get("run/environment.json") ?? "")).not.toHaveProperty("data");
});
