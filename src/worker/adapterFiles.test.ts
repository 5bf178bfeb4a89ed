import { strFromU8, strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../model/adapters/peft.ts";
import type { RunRecord } from "../storage/database.ts";
import { collect, collectRun, exportedFiles } from "./adapterFiles.ts";

const run: RunRecord = {
  ...{ id: "a", name: "Kitchen notes 1", stage: "sft", parent: null, model: "f00d", modelName: "mini", startedAt: 0 },
  ...{ status: "finished", config: {}, totalSteps: 2, seconds: 3, alarms: [], scores: [], logs: [] },
  ...{ pinned: false, checkpoints: [] },
};
const score = { step: 1, epoch: 1, precision: 1, recall: 1, f1: 1, boundaryErrorRate: 0 };
const record = { configJson: "{}" };
const best = Uint8Array.of(1);
const last = Uint8Array.of(2);

describe("an exported adapter", () => {
  const weightsOf = (files: Map<string, Uint8Array>): Record<string, Uint8Array> =>
    Object.fromEntries([...files].filter(([path]) => path.endsWith(ADAPTER_WEIGHTS)));

  it("has the best and the last of its run where they differ, and is the best one", () => {
    const files = exportedFiles(record, best, last, { ...run, scores: [score] });
    expect(weightsOf(files)).toEqual({
      "adapter_model.safetensors": best,
      "run/best/adapter_model.safetensors": best,
      "run/last/adapter_model.safetensors": last,
    });
    for (const folder of ["", "run/best/", "run/last/"]) {
      expect(strFromU8(files.get(folder + ADAPTER_CONFIG) ?? best)).toBe("{}");
    }
    expect([...files.keys()]).toContain("run/log.jsonl");
  });

  it("is the last one itself where that scored best, or where nothing was scored", () => {
    const scored = weightsOf(exportedFiles(record, best, null, { ...run, scores: [score] }));
    expect(scored["run/last/adapter_model.safetensors"]).toBe(best);
    expect(Object.keys(scored)).toHaveLength(3);
    expect(Object.keys(weightsOf(exportedFiles(record, best, null, run)))).toEqual([
      "adapter_model.safetensors",
      "run/last/adapter_model.safetensors",
    ]);
  });

  it("keeps its last state where its run was deleted, and has no run where it was imported", () => {
    expect(weightsOf(exportedFiles(record, best, last, undefined))["run/last/adapter_model.safetensors"]).toBe(last);
    expect([...exportedFiles(record, best, null, undefined).keys()]).toEqual([ADAPTER_CONFIG, ADAPTER_WEIGHTS]);
    const imported = { config: "{}", environment: "{}" };
    expect([...exportedFiles({ ...record, imported }, best, null, undefined).keys()]).toEqual([
      ...[ADAPTER_CONFIG, ADAPTER_WEIGHTS, "run/config.json", "run/environment.json"],
    ]);
  });
});

describe("a zip to import", () => {
  const zip = (paths: readonly string[]): File =>
    new File([new Uint8Array(zipSync(Object.fromEntries(paths.map((path) => [path, strToU8(path)]))))], "a.zip");
  const found = async (paths: readonly string[]): Promise<string[]> =>
    [...(await collect([zip(paths)])).values()].map((content) => strFromU8(content)).sort();

  it("gives the outermost adapter, whatever states of its run follow", async () => {
    const outer = [ADAPTER_CONFIG, ADAPTER_WEIGHTS];
    const inner = ["best", "last"].flatMap((state) => outer.map((name) => `run/${state}/${name}`));
    expect(await found([...outer, ...inner])).toEqual(outer);
    expect(await found([...inner, ...outer].map((path) => `mine/${path}`))).toEqual(
      outer.map((name) => `mine/${name}`),
    );
  });

  it("gives how it was made where that came with it", async () => {
    const run = ["run/config.json", "run/environment.json"];
    const [config = "", environment = ""] = run;
    expect(await collectRun([zip([...run, ADAPTER_CONFIG])])).toEqual({ config, environment });
    expect(await collectRun([zip(["mine/run/config.json"])])).toEqual({
      config: "mine/run/config.json",
      environment: null,
    });
    expect(await collectRun([zip([ADAPTER_CONFIG, ADAPTER_WEIGHTS, "config.json"])])).toBeNull();
  });
});
