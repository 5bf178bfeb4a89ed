/** kill -9 at any moment, then --resume: the log and the adapter of an uninterrupted run, bit for bit. */
import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeOneLayerModel } from "./oneLayerModel.ts";
import { CommandFolder } from "./testCommand.ts";

const sample = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../public/samples/${name}`, import.meta.url)), "utf8");
const answer = (words: string) => `The entities I extracted for you are <<< ${words} >>> .`;
const pairs = ["salt", "oat milk", "rye flour", "fresh dill", "olives"].map((words, i) =>
  JSON.stringify({ prompt: `Mix ${words} and pepper.\n`, chosen: answer(words), rejected: answer(`pepper ${i}`) }),
);
const folder = new CommandFolder({
  "train.jsonl": `${sample("train.jsonl").split("\n").slice(0, 4).join("\n")}\n`,
  "types.json": sample("types.json"),
  "pairs.jsonl": `${pairs.join("\n")}\n`,
});
const STEPS = 12;
const settings = ["--model", "one.gguf", "--accumulation", "2", "--save-steps", "3", "--json"];
const common = [...settings, "--learning-rate", "0.01", "--max-steps", String(STEPS)];
const documents = ["--train", "train.jsonl", "--types", "types.json"];
const stages = {
  source: ["--stage", "source", ...documents],
  sft: ["--stage", "sft", ...documents, "--contrastive-weight", "0.1"],
  dpo: ["--stage", "dpo", "--train", "pairs.jsonl", "--adapter", "start"],
} as const;

const file = (...path: string[]) => readFileSync(join(folder.path, ...path));
const logLines = (out: string): number => {
  try {
    return file(out, "run", "log.jsonl").toString().split("\n").length - 1;
  } catch {
    return 0;
  }
};

beforeAll(async () => {
  await writeOneLayerModel(join(folder.path, "one.gguf"), 300);
  const start = folder.obp("train", ...settings, ...stages.sft, "--max-steps", "1", "--out", "start");
  expect(start.code, start.stderr).toBe(0);
});
afterAll(() => folder[Symbol.dispose]());

describe.each(Object.keys(stages) as (keyof typeof stages)[])("stage %s", (name) => {
  const words = ["train", ...common, ...stages[name]];

  test("killed at five random points and resumed, it ends as if it had run through", { timeout: 400_000 }, async () => {
    const whole = folder.obp(...words, "--out", `${name}-whole`);
    expect(whole.code, whole.stderr).toBe(0);
    const out = `${name}-killed`;
    const kills = Array.from({ length: 5 }, () => 1 + Math.floor(Math.random() * (STEPS - 1))).sort((a, b) => a - b);
    for (const [i, line] of kills.entries()) {
      const { child, outcome } = folder.start(...words, "--out", out, ...(i === 0 ? [] : ["--resume"]));
      while (logLines(out) < line && child.exitCode === null) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      child.kill("SIGKILL");
      await outcome;
    }
    const resumed = folder.obp(...words, "--out", out, "--resume");
    expect(resumed.code, `kills at ${kills.join(", ")}: ${resumed.stderr}`).toBe(0);
    const context = `kills at ${kills.join(", ")}`;
    for (const path of [["run", "log.jsonl"], ["adapter_model.safetensors"], ["adapter_config.json"]]) {
      expect(file(out, ...path).equals(file(`${name}-whole`, ...path)), `${path.join("/")}, ${context}`).toBe(true);
    }
    expect(resumed.json()).toMatchObject({ steps: STEPS, lastLoss: whole.json()["lastLoss"], interrupted: false });
  });
});

describe("checkpoints", () => {
  const words = ["train", ...common, ...stages.sft, "--out", "sft-whole"];
  const checkpoints = () =>
    readdirSync(join(folder.path, "sft-whole", "run"))
      .filter((name) => name.startsWith("checkpoint-"))
      .sort();

  test("the newest two are kept", () => {
    expect(checkpoints()).toEqual(["checkpoint-12.safetensors", "checkpoint-9.safetensors"]);
  });

  test("a damaged one is named, and the one before it used", () => {
    const before = file("sft-whole", "adapter_model.safetensors");
    truncateSync(join(folder.path, "sft-whole", "run", "checkpoint-12.safetensors"), 1000);
    const resumed = folder.obp(...words, "--resume");
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch(/checkpoint-12\.safetensors cannot be used: expected .*; trying the one before/);
    expect(resumed.stderr).toContain("resumed after step 9 of 12");
    expect(file("sft-whole", "adapter_model.safetensors").equals(before)).toBe(true);
  });

  test("a finished run has nothing to resume", () => {
    const resumed = folder.obp(...words, "--resume");
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.json()).toMatchObject({ steps: STEPS, resumedFrom: STEPS });
  });

  test("the kernels that a run began with go on, whatever is asked for: other ones sum in another order", () => {
    const few = ["train", ...settings, "--learning-rate", "0.01", ...stages.sft, "--max-steps", "4", "--out", "plain"];
    const whole = folder.obp(...few, "--kernels", "registers");
    expect(whole.code, whole.stderr).toBe(0);
    const adapter = file("plain", "adapter_model.safetensors");
    rmSync(join(folder.path, "plain", "run", "checkpoint-4.safetensors"));
    const resumed = folder.obp(...few, "--resume");
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain("resumed after step 3 of 4");
    expect(file("plain", "adapter_model.safetensors").equals(adapter)).toBe(true);
  });

  test("none at all: it starts afresh and says so", () => {
    const fresh = folder.obp("train", ...settings, ...stages.sft, "--max-steps", "1", "--out", "fresh", "--resume");
    expect(fresh.code, fresh.stderr).toBe(0);
    expect(fresh.stderr).toContain("no checkpoint in fresh/run: starting afresh");
  });

  test("other settings, other data, another start: refused, saying which", () => {
    const refused = (...more: string[]) => folder.obp(...words, "--resume", ...more).stderr;
    expect(refused("--rank", "4")).toContain("error: expected rank 8, as in the checkpoint, got 4");
    expect(refused("--adapter", "start")).toMatch(
      /error: expected the adapter to start from of the checkpoint .hash none.*got another/,
    );
    const data = file("train.jsonl");
    writeFileSync(join(folder.path, "train.jsonl"), data.subarray(0, data.indexOf("\n") + 1));
    expect(refused()).toMatch(
      /error: expected the training data of the checkpoint \(hash \w{12}\), got another \(hash \w{12}\)/,
    );
    writeFileSync(join(folder.path, "train.jsonl"), data);
  });

  test("one of another version is refused, and stays", () => {
    const path = join(folder.path, "sft-whole", "run", "checkpoint-12.safetensors");
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.toString("latin1").replace('"version\\":1', '"version\\":0'), "latin1");
    const refused = folder.obp(...words, "--resume");
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/error: .*checkpoint-12\.safetensors.*expected a checkpoint of version 1, got 0/),
    ]);
    expect(checkpoints()).toContain("checkpoint-12.safetensors");
    writeFileSync(path, bytes);
  });

  test("a run that does not resume removes those of the run before, once it has taken a step", () => {
    const again = folder.obp("train", ...settings, ...stages.sft, "--max-steps", "2", "--out", "sft-whole");
    expect(again.code, again.stderr).toBe(0);
    expect(checkpoints()).toEqual(["checkpoint-2.safetensors"]);
  });
});
