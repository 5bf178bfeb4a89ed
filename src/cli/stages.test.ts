/** The method's later stages on the real command: losses of obp grad, DPO, held-out scores, obp bundle. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSafetensors } from "../model/adapters/safetensors.ts";
import { writeOneLayerModel } from "./oneLayerModel.ts";
import { CommandFolder } from "./testCommand.ts";

const samplePath = (name: string) => fileURLToPath(new URL(`../../public/samples/${name}`, import.meta.url));
const sample = (name: string) => readFileSync(samplePath(name), "utf8");
const answer = (words: string) => `The entities I extracted for you are <<< ${words} >>> .`;
const pair = (chosen: string, rejected: string) =>
  `${JSON.stringify({ prompt: "Mix oat milk and pepper.\n", chosen: answer(chosen), rejected: answer(rejected) })}\n`;
const folder = new CommandFolder({
  "train.jsonl": `${sample("train.jsonl").split("\n").slice(0, 2).join("\n")}\n`,
  "none.jsonl": `${JSON.stringify({ id: "a", text: "Nothing to eat here.", entities: [] })}\n`,
  "types.json": sample("types.json"),
  "pairs.jsonl": pair("oat milk", "milk") + pair("oat milk", "oat milk and"),
  "same.jsonl": pair("oat milk", "milk") + pair("oat milk", "oat milk"),
});
const model = ["--model", "one.gguf"];
const documents = ["--train", "train.jsonl", "--types", "types.json"];
const sft = ["train", ...model, "--stage", "sft", ...documents, "--accumulation", "4", "--json"];
const dpo = ["train", ...model, "--stage", "dpo", "--train", "pairs.jsonl", "--adapter", "adapter", "--json"];
const grad = ["grad", ...model, "--adapter", "adapter", "--out", "g.safetensors", "--json"];
const lines = (...path: string[]) =>
  readFileSync(join(folder.path, ...path), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number>);

beforeAll(async () => {
  await writeOneLayerModel(join(folder.path, "one.gguf"), 300);
  const trained = folder.obp(...sft, "--learning-rate", "0.01", "--max-steps", "3", "--out", "adapter");
  expect(trained.code, trained.stderr).toBe(0);
});
afterAll(() => folder[Symbol.dispose]());

describe("obp grad", () => {
  test("contrastive: the loss alone, gradients on the queries and keys of its layer only", () => {
    const given = folder.obp(...grad, "--loss", "contrastive", "--in", "train.jsonl", "--types", "types.json");
    expect(given.code, given.stderr).toBe(0);
    const { loss, terms } = given.json() as { loss: number; terms: Record<string, number> };
    expect(loss).toBeGreaterThan(0);
    expect(terms).toEqual({ contrastive: loss });
    const gradients = readSafetensors(new Uint8Array(readFileSync(join(folder.path, "g.safetensors"))));
    for (const [name, { data }] of gradients) {
      expect(
        data.some((value) => value !== 0),
        name,
      ).toBe(/q_proj|k_proj/u.test(name));
    }
    const words = ["--loss", "contrastive", "--in", "train.jsonl", "--types", "types.json"];
    const other = folder.obp(...grad, ...words, "--pooling", "ancestor", "--rope", "post");
    expect(other.json()["loss"]).not.toBe(loss);
  });

  test("contrastive: no entity, no types, a layer that is not there", () => {
    const refused = (...more: string[]) => folder.obp(...grad, "--loss", "contrastive", ...more);
    const none = refused("--in", "none.jsonl", "--types", "types.json");
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining("error: expected at least one prompt with an entity"),
    ]);
    expect(refused("--in", "train.jsonl").code).toBe(2);
    const layer = refused("--in", "train.jsonl", "--types", "types.json", "--contrastive-layer", "7");
    expect(layer.stderr).toContain("error: expected contrastiveLayer to be a whole number from 0 to 0");
  });

  test("dpo: with itself as reference the margin is 0; another reference moves it", () => {
    const own = folder.obp(...grad, "--loss", "dpo", "--in", "pairs.jsonl");
    expect(own.code, own.stderr).toBe(0);
    const { loss, terms, prompts } = own.json() as { loss: number; terms: Record<string, number>; prompts: number };
    expect(prompts).toBe(2);
    expect(terms["dpo"]).toBeCloseTo(Math.log(2), 5);
    expect(terms["rewards/margins"]).toBeCloseTo(0, 5);
    expect(loss).toBeCloseTo((terms["dpo"] ?? NaN) + 0.2 * (terms["nll"] ?? NaN), 5);
    const fresh = folder.obp(...sft, "--learning-rate", "0", "--max-steps", "1", "--out", "fresh");
    expect(fresh.code, fresh.stderr).toBe(0);
    const moved = folder.obp(...grad, "--loss", "dpo", "--in", "pairs.jsonl", "--reference", "fresh");
    expect((moved.json()["terms"] as Record<string, number>)["rewards/chosen"]).not.toBe(0);
  });

  test("dpo: the same answer twice is named by its line", () => {
    const same = folder.obp(...grad, "--loss", "dpo", "--in", "same.jsonl");
    expect([same.code, same.stderr]).toEqual([
      1,
      expect.stringMatching(/error: expected a rejected response other than .* line 2 of same\.jsonl/u),
    ]);
  });
});

describe("obp train --stage dpo", () => {
  test("TRL's metrics at every step, the reference's log-probabilities stored with the pairs", () => {
    const run = folder.obp(...dpo, "--learning-rate", "0.005", "--epochs", "8", "--out", "dpo");
    expect(run.code, run.stderr).toBe(0);
    const log = lines("dpo", "run", "log.jsonl");
    expect(Object.keys(log[0] ?? {})).toEqual([
      ...["step", "epoch", "loss", "learning_rate", "grad_norm", "num_tokens", "dpo_loss", "nll_loss"],
      ...[
        "rewards/chosen",
        "rewards/rejected",
        "rewards/margins",
        "rewards/accuracies",
        "logps/chosen",
        "logps/rejected",
      ],
    ]);
    expect(log[0]?.["dpo_loss"]).toBeCloseTo(Math.log(2), 4);
    expect(log.at(-1)?.["rewards/margins"]).toBeGreaterThan(0.01);
    const [stored] = lines("dpo", "run", "pairs.jsonl");
    expect(stored?.["ref_chosen_logps"]).toBeLessThan(0);
    expect(run.json()["alarms"]).toEqual([]);
  });

  test("a stage that moves nothing says so, with the largest change of a weight", () => {
    const run = folder.obp(...dpo, "--learning-rate", "1e-9", "--epochs", "1", "--out", "still");
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(
      /warning: this stage changed nothing measurable: mean margin .*, largest change of a weight \d/u,
    );
    expect(run.json()["alarms"]).toHaveLength(1);
  });

  test("chosen answers that sink below their reference raise the alarm", () => {
    const words = [
      "--learning-rate",
      "0.05",
      "--epochs",
      "6",
      "--sft-alpha",
      "0",
      "--beta",
      "5",
      "--chosen-drop-alarm",
      "1e-6",
    ];
    const run = folder.obp(...dpo, ...words, "--out", "sunk");
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toMatch(/warning: chosen answers fell \d.* nats below their reference at step \d/u);
  });

  test("without the SFT adapter, or with types and nothing to score: usage", () => {
    const without = folder.obp(...dpo.filter((word) => word !== "--adapter" && word !== "adapter"), "--out", "x");
    expect([without.code, without.stderr]).toEqual([
      2,
      expect.stringContaining("expected --adapter FOLDER for the stage dpo"),
    ]);
    expect(folder.obp(...dpo, "--types", "types.json", "--out", "x").code).toBe(2);
  });
});

describe("held-out scores while training", () => {
  const scored = [...sft, "--heldout", "train.jsonl", "--eval-every", "2"];

  test("are written with the best adapter; without progress, early stopping ends the run with it", () => {
    const words = ["--learning-rate", "0", "--max-steps", "20", "--early-stopping", "2", "--out", "scored"];
    const run = folder.obp(...scored, ...words);
    expect(run.code, run.stderr).toBe(0);
    expect(run.json()).toMatchObject({ steps: 6, totalSteps: 20, best: { step: 6 } });
    expect(lines("scored", "run", "evals.jsonl").map(({ step }) => step)).toEqual([2, 4, 6]);
    for (const path of [
      "adapter_model.safetensors",
      "run/best/adapter_model.safetensors",
      "run/last/adapter_model.safetensors",
    ]) {
      expect(existsSync(join(folder.path, "scored", path)), path).toBe(true);
    }

    const again = folder.obp(...sft, "--max-steps", "1", "--adapter", "adapter", "--out", "scored");
    expect(again.code, again.stderr).toBe(0);
    const read = (path: string) => readFileSync(join(folder.path, path)).toString("base64");
    expect(read("scored/run/last/adapter_model.safetensors")).toBe(read("scored/adapter_model.safetensors"));
    for (const path of ["run/best", "run/evals.jsonl"]) {
      expect(existsSync(join(folder.path, "scored", path)), `${path} of the run before`).toBe(false);
    }
    const environment = JSON.parse(folder.read("scored/run/environment.json")) as Record<string, unknown>;
    expect(environment["startAdapter"]).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(environment["inputs"] as object)).toEqual(["train.jsonl", "types.json"]);
  });

  test("--early-stopping without --heldout is a usage error", () => {
    const run = folder.obp(...sft, "--early-stopping", "1", "--out", "x");
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining("expected --heldout FILE")]);
  });
});

describe("obp bundle", () => {
  const bundle = ["bundle", "--project", samplePath("project.json"), "--json"];

  test("holds documents, types and settings; pairs and adapter where given", () => {
    const plain = folder.obp(...bundle, "--out", "bundle");
    expect(plain.code, plain.stderr).toBe(0);
    expect(plain.json()["files"]).toEqual(["bundle.json", "config.json", "heldout.jsonl", "train.jsonl", "types.json"]);
    const full = folder.obp(
      ...bundle,
      "--stage",
      "dpo",
      "--pairs",
      "pairs.jsonl",
      "--adapter",
      "adapter",
      "--out",
      "full",
    );
    expect(full.json()["files"]).toContain("adapter/adapter_model.safetensors");
    expect(JSON.parse(folder.read("full/config.json"))).toMatchObject({ stage: "dpo", beta: 0.1, learningRate: 5e-6 });
    expect(lines("full", "pairs.jsonl")).toHaveLength(2);
  });

  test("the stage dpo without pairs is refused", () => {
    const run = folder.obp(...bundle, "--stage", "dpo", "--out", "x");
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("error: expected pairs for the stage dpo")]);
  });
});
