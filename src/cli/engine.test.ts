/** The verbs that use the engine, on the real command and a real model of one layer. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPeft } from "../model/adapters/peft.ts";
import { readSafetensors } from "../model/adapters/safetensors.ts";
import { writeOneLayerModel } from "./oneLayerModel.ts";
import { CommandFolder } from "./testCommand.ts";

const sample = (name: string) => fileURLToPath(new URL(`../../public/samples/${name}`, import.meta.url));
const [first = "", second = ""] = readFileSync(sample("train.jsonl"), "utf8").split("\n");
const earlier = { entities: [], hallucinated: [{ type: "ingredient", text: "sugar" }] };
const long = JSON.stringify({ id: "endless", text: "salt ".repeat(400).trim(), ...earlier });
/** Every word is many tokens, so that an answer with any of them is longer than one without. */
const wordy =
  "Knoblauchpressen, Kartoffelstampfer, Zwiebelschneidebretter und Schaumlöffel hängen über Gemüsebrühwürfeln.";
const types = '{"ingredient":"foods that go into a dish"}';

const files = {
  "train.jsonl": `${first}\n${long}\n${second}\n`,
  "wordy.jsonl": `${JSON.stringify({ id: "wordy", text: wordy, entities: [] })}\n`,
  "types.json": types,
  "pairs.jsonl": `${JSON.stringify({ prompt: "Salt is an", completion: " ingredient" })}\n`,
};
const folder = new CommandFolder(files);
const model = ["--model", "one.gguf"] as const;
const train = ["train", ...model, "--stage", "sft", "--train", "train.jsonl", "--types", "types.json"] as const;
const quick = ["--accumulation", "1", "--learning-rate", "0.01", "--warmup-ratio", "0", "--json"] as const;
const run = (...words: readonly string[]) => folder.start(...words).outcome;
const adapterOf = (name: string) =>
  readPeft(
    folder.read(`${name}/adapter_config.json`),
    new Uint8Array(readFileSync(join(folder.path, name, "adapter_model.safetensors"))),
  );

beforeAll(async () => {
  await writeOneLayerModel(join(folder.path, "one.gguf"), 300);
  const trained = await run(...train, ...quick, "--max-steps", "2", "--out", "adapter", "--log", "log.jsonl");
  expect([trained.code, trained.stderr.includes("error")]).toEqual([0, false]);
  expect(trained.stdout.trimEnd()).not.toContain("\n");
  result = trained.json();
  said = trained.stderr;
});
afterAll(() => folder[Symbol.dispose]());
let result: Record<string, unknown> = {};
let said = "";

describe("obp train", () => {
  test("reports what was done, and names the adapter it ran on", () => {
    const { steps, firstLoss, lastLoss, seconds, tokensPerSecond, out, adapter } = result as Record<string, number>;
    expect([steps, out]).toEqual([2, "adapter"]);
    expect(lastLoss).toBeLessThan(Number(firstLoss));
    expect(seconds).toBeGreaterThan(0);
    expect(tokensPerSecond).toBeGreaterThan(0);
    expect(adapter).toMatch(/\S/);
  });

  test("a sentence over the context is named and left out, the others are learnt", () => {
    const [leftOut] = result["leftOut"] as { name: string; tokens: number }[];
    expect(leftOut?.name).toBe("endless / ingredient");
    expect(leftOut?.tokens).toBeGreaterThan(300);
    expect(said).toContain(`left out: endless / ingredient: ${leftOut?.tokens} tokens do not fit`);
    expect(result["prompts"]).toBe(2);
  });

  test("the folder is a PEFT adapter; run/ tells how it was made", () => {
    const { weights, baseModel } = adapterOf("adapter");
    expect(weights.config).toEqual({
      rank: 8,
      alpha: 16,
      dropout: 0.05,
      targets: ["q_proj", "k_proj", "v_proj", "o_proj"],
    });
    expect(weights.tensors.size).toBe(2 * 4);
    expect(baseModel).toBe("OBP Mini");
    const log = folder.read("adapter/run/log.jsonl");
    expect(folder.read("log.jsonl")).toBe(log);
    const lines = log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, number>);
    expect(lines.map(({ step }) => step)).toEqual([1, 2]);
    expect(Object.keys(lines[0] ?? {})).toEqual(["step", "epoch", "loss", "learning_rate", "grad_norm", "num_tokens"]);
    expect(lines[1]?.["loss"]).toBe(result["lastLoss"]);
    const environment = JSON.parse(folder.read("adapter/run/environment.json")) as { model: { sha256: object } };
    expect(Object.keys(environment.model.sha256)).toEqual(["one.gguf"]);
  });

  test("run/config.json makes the same adapter again, byte for byte", async () => {
    const again = await run(...train, "--config", "adapter/run/config.json", "--json", "--out", "again");
    expect(again.json()).toMatchObject({ firstLoss: result["firstLoss"], lastLoss: result["lastLoss"] });
    expect(adapterOf("again")).toEqual(adapterOf("adapter"));
  });

  test("NaN stops the run, names step and tensor, and leaves the earlier adapter as it was", async () => {
    const earlier = adapterOf("adapter");
    const nan = await run(...train, ...quick, "--alpha", "1e38", "--out", "adapter");
    expect([nan.code, nan.stdout]).toEqual([1, ""]);
    expect(nan.stderr).toMatch(/\nerror: expected finite numbers in step 1, got NaN or Infinity in .*\n$/);
    expect(adapterOf("adapter")).toEqual(earlier);
    expect(folder.list().filter((name) => name.includes("tmp"))).toEqual([]);
  });

  test("Ctrl-C ends after the step under way: the adapter is written, exit 130", async () => {
    const { child, outcome } = folder.start(...train, ...quick, "--max-steps", "100000", "--out", "stopped");
    await until(() => folder.list().includes("stopped") && /"step":2/.test(folder.read("stopped/run/log.jsonl")));
    child.kill("SIGINT");
    const stopped = await outcome;
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain("stopping after the current step");
    const { steps, interrupted } = stopped.json() as { steps: number; interrupted: boolean };
    expect(interrupted).toBe(true);
    expect(steps).toBeGreaterThanOrEqual(2);
    expect(folder.read("stopped/run/log.jsonl").trim().split("\n")).toHaveLength(steps);
    expect(adapterOf("stopped").weights.tensors.size).toBe(8);
  });

  test("a second Ctrl-C exits at once, and leaves no half file", async () => {
    const { child, outcome } = folder.start(...train, ...quick, "--max-steps", "100000", "--out", "killed");
    await until(() => folder.read("killed/run/log.jsonl") !== "");
    child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 400));
    child.kill("SIGINT");
    const killed = await outcome; // the first one may have been enough meanwhile
    expect(killed.code).toBe(130);
    const names = readdirSync(join(folder.path, "killed"));
    expect(names.filter((name) => name.includes("tmp"))).toEqual([]);
  });

  test("goes on from an adapter, with its shape", async () => {
    const further = await run(...train, ...quick, "--adapter", "adapter", "--max-steps", "1", "--out", "further");
    expect(further.code).toBe(0);
    expect(further.json()["firstLoss"]).toBeLessThan(Number(result["firstLoss"]));
    const refused = await run(...train, ...quick, "--adapter", "adapter", "--rank", "4", "--out", "further");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^error: expected rank 8, that of the adapter, got 4/m);
  });
});

interface PredictedLine {
  readonly id: string;
  readonly entities: readonly { readonly probability: number }[];
}

describe("obp score, grad, predict", () => {
  test("score gives each completion's tokens and their log-probabilities", async () => {
    const plain = (await run("score", ...model, "--in", "pairs.jsonl", "--json")).json();
    const adapted = (await run("score", ...model, "--adapter", "adapter", "--in", "pairs.jsonl", "--json")).json();
    for (const { results } of [plain, adapted] as {
      results: { logprob: number; tokens: number[]; tokenLogprobs: number[] }[];
    }[]) {
      expect(results).toHaveLength(1);
      const { logprob, tokens, tokenLogprobs } = results[0] ?? { logprob: NaN, tokens: [], tokenLogprobs: [] };
      expect(tokens.at(-1)).toBe(2); // the end token
      expect(tokenLogprobs).toHaveLength(tokens.length);
      expect(logprob).toBeCloseTo(
        tokenLogprobs.reduce((sum, value) => sum + value, 0),
        6,
      );
      expect(logprob).toBeLessThan(0);
    }
    expect(adapted).not.toEqual(plain);
  });

  test("grad writes one gradient for each matrix, under PEFT's names and of its shape", async () => {
    const words = ["--adapter", "adapter", "--loss", "sft", "--in", "train.jsonl", "--types", "types.json"];
    const grad = await run("grad", ...model, ...words, "--out", "g.safetensors", "--json");
    expect(grad.code).toBe(0);
    const { loss, gradNorm, prompts } = grad.json() as { loss: number; gradNorm: number; prompts: number };
    expect(prompts).toBe(2);
    expect(loss).toBeGreaterThan(0);
    const gradients = readSafetensors(new Uint8Array(readFileSync(join(folder.path, "g.safetensors"))));
    const { tensors } = adapterOf("adapter").weights;
    expect([...gradients.keys()].sort()).toEqual([...tensors.keys()].sort());
    let squares = 0;
    for (const [name, { shape, data }] of gradients) {
      expect(shape).toEqual(tensors.get(name)?.shape);
      squares += data.reduce((sum, value) => sum + value * value, 0);
    }
    expect(Math.sqrt(squares) / gradNorm).toBeCloseTo(1, 4);
  });

  test.each(["span", "free"])("predict in %s mode gives every document back, in order", async (mode) => {
    const words = ["--in", "train.jsonl", "--types", "types.json", "--mode", mode, "--max-new-tokens", "8"];
    const predicted = await run("predict", ...model, "--adapter", "adapter", ...words, "--out", "p.jsonl", "--json");
    expect(predicted.code).toBe(0);
    expect(predicted.stderr).toContain("left out: endless / ingredient");
    const documents = folder
      .read("p.jsonl")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as PredictedLine);
    expect(documents.map(({ id }) => id)).toEqual(["kitchen-train-01", "endless", "kitchen-train-02"]);
    expect(documents[1]).not.toHaveProperty("hallucinated"); // those of an earlier prediction are not this one's
    const entities = documents.flatMap((document) => document.entities);
    expect(predicted.json()).toMatchObject({ documents: 3, entities: entities.length });
    for (const { probability } of entities) {
      expect(probability).toBeGreaterThan(0);
      expect(probability).toBeLessThanOrEqual(1);
    }
  });

  test("predict leaves a sentence out when its prompt, or then its answer, is over the context", async () => {
    const predict = async (context: number) => {
      await writeOneLayerModel(join(folder.path, "short.gguf"), context);
      const words = ["--in", "wordy.jsonl", "--types", "types.json", "--out", "w.jsonl", "--json"];
      return (await run("predict", "--model", "short.gguf", ...words)).json() as {
        entities: number;
        leftOut: { tokens: number }[];
      };
    };
    // Every word an entity spelled byte by byte would be over 300 tokens; the real answer is not.
    expect(await predict(300)).toMatchObject({ entities: 1, leftOut: [] });
    const [empty] = (await predict(100)).leftOut;
    expect(empty?.tokens).toBeGreaterThan(100);
    const room = empty?.tokens ?? 0; // for an answer without entities
    expect(await predict(room)).toMatchObject({ entities: 0, leftOut: [{ tokens: room + 1 }] });
  });

  test("an adapter that does not fit the model is refused by tensor", async () => {
    const misfit = await run("score", "--model", "bundled", "--adapter", "adapter", "--in", "pairs.jsonl");
    expect([misfit.code, misfit.stdout]).toEqual([1, ""]);
    expect(misfit.stderr).toMatch(/\nerror: expected .*layers.1.self_attn.q_proj.lora_A.* got none/);
  });

  test("an adapter kind that this machine lacks is said", async () => {
    const { adapter } = result as { adapter: string };
    const missing = /llvmpipe|swiftshader/i.test(adapter) ? "gpu" : "software";
    const refused = await run("score", ...model, "--in", "pairs.jsonl", "--adapter-kind", missing);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(new RegExp(`error: expected an? .*adapter of kind ${missing}`));
  });
});

/** Waits for a file to come; what is not there yet is no error. */
async function until(holds: () => boolean): Promise<void> {
  for (;;) {
    try {
      if (holds()) {
        return;
      }
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) {
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
