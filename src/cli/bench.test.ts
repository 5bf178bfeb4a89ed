/** obp bench as a user runs it, on small works of the real engine. */
import { afterAll, describe, expect, test } from "vitest";
import { CommandFolder } from "./testCommand.ts";

interface Row {
  readonly name: string;
  readonly seconds: number;
  readonly gflops: number | null;
  readonly ratio: number | null;
  readonly peakFraction?: number;
  readonly peakGpuBytes: number;
  readonly peakHeapBytes: number;
  readonly adapter: string;
}
interface Event {
  readonly ph: string;
  readonly name: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
}

const folder = new CommandFolder();
afterAll(() => folder[Symbol.dispose]());
const bench = (...words: readonly string[]) => folder.start("bench", ...words, "--json").outcome;

test("matmul: both directions against a peer's product that agrees, and one row without", async () => {
  const words = [
    "matmul",
    "--shape",
    "smollm2-135m",
    "--linear",
    "k, v",
    "--rows",
    "1",
    "128",
    "--layout",
    "Q4_0",
    "Q8_0",
  ];
  const outcome = await bench(...words, "--repeat", "1");
  expect([outcome.code, outcome.stderr.includes("error")]).toEqual([0, false]);
  const rows = outcome.json()["rows"] as Row[];
  const of = (name: string) => rows.filter((row) => row.name.startsWith(name));
  expect(of("forward k, v (Q4_0)").map(({ name }) => name)).toEqual([
    "forward k, v (Q4_0) 1×576→192, smollm2-135m",
    "forward k, v (Q4_0) 128×576→192, smollm2-135m",
  ]);
  expect(rows.length).toBe(2 * 2 + 2 * 3);
  const [one, many] = of("forward k, v (Q8_0)");
  const peer = of("forward k, v (jax-js f32)")[0];
  expect(one?.ratio).toBeNull();
  expect(many?.ratio).toBeCloseTo((peer?.seconds ?? NaN) / (many?.seconds ?? NaN), 9);
  expect(peer?.ratio).toBeNull();
  for (const row of rows) {
    expect(row.seconds).toBeGreaterThan(0);
    // No upper bound: on a busy machine the peak may have been measured in a bad moment.
    expect(row.peakFraction).toBeGreaterThan(0);
    expect(row.peakGpuBytes).toBeGreaterThan(192 * 576 * 0.5);
    expect(row.adapter).not.toBe("");
  }
});

test("tsne: ours and a peer's from the same vectors, both judged by the twin", async () => {
  const outcome = await bench("tsne", "--points", "150", "--iterations", "300", "--repeat", "1");
  expect([outcome.code, outcome.stderr.includes("error")]).toEqual([0, false]);
  const [ours, peer] = outcome.json()["rows"] as (Row & { klDivergence: number })[];
  expect([ours?.name, peer?.name]).toEqual([
    "t-SNE (ours) 150×64, 300 iterations",
    "t-SNE (druid) 150×64, 300 iterations",
  ]);
  expect(ours?.ratio).toBeCloseTo((peer?.seconds ?? NaN) / (ours?.seconds ?? NaN), 9);
  expect(peer?.ratio).toBeNull();
  expect([ours?.adapter === peer?.adapter, peer?.peakGpuBytes]).toEqual([false, 0]);
  expect(ours?.peakGpuBytes).toBeGreaterThan(150 * 150 * 2);
  // Points at random have 2; both have found the clusters, by schedules of their own.
  for (const row of [ours, peer]) expect(row?.klDivergence).toBeLessThan(1);
  expect(ours?.klDivergence).toBeGreaterThan(0);
  const wrong = await bench("tsne", "--peer", "jax-js");
  expect([wrong.code, wrong.stderr]).toEqual([2, "error: expected --peer druid or none for tsne, got jax-js\n"]);
});

test("load: the whole way twice, and its parts", async () => {
  const outcome = await bench("load", "--repeat", "1");
  expect([outcome.code, outcome.stderr.includes("error")]).toEqual([0, false]);
  const rows = outcome.json()["rows"] as (Row & { gigabytesPerSecond?: number })[];
  expect(rows.map(({ name }) => name.replace(/, OBP Mini \(\d+ MB\)$/, ""))).toEqual([
    ...["file to GPU, first time", "file to GPU, again", "head and tokenizer", "reading", "repacking", "upload"],
    ...["compile beside them, first time", "compile beside them, again"],
  ]);
  for (const { seconds, peakGpuBytes } of rows) {
    expect(seconds).toBeGreaterThan(0);
    expect(peakGpuBytes).toBeGreaterThan(1e6);
  }
  // All name the same bytes.
  const [first, again, , ...parts] = rows.slice(0, 6);
  const bytes = (row: (typeof rows)[number] | undefined) => (row?.gigabytesPerSecond ?? NaN) * (row?.seconds ?? NaN);
  for (const part of parts) expect(bytes(part)).toBeCloseTo(bytes(first), 9);
  expect(bytes(first) * 1e9).toBeGreaterThan(5e6);
  expect(again?.ratio).toBeCloseTo((first?.seconds ?? NaN) / (again?.seconds ?? NaN), 9);
});

describe("train", () => {
  test("a random model of a known shape: rows of a step, kernels, and a trace in which kernels lie in their step", async () => {
    const words = ["train", "--shape", "smollm2-135m", "--layers", "1", "--tokens", "32", "--stage", "sft"];
    const outcome = await bench(...words, "--all-linear", "--repeat", "1", "--trace", "trace.json");
    expect([outcome.code, outcome.stderr.includes("error")]).toEqual([0, false]);
    const { rows, kernels } = outcome.json() as {
      rows: Row[];
      kernels: { kernel: string; seconds: number; share: number }[];
    };
    expect(rows.map(({ name }) => name)).toEqual([
      "load smollm2-135m Q4_0, 1 of 30 layers",
      "first step, sft, 32 tokens, smollm2-135m Q4_0, 1 of 30 layers",
      "step, sft, 32 tokens, smollm2-135m Q4_0, 1 of 30 layers",
    ]);
    // One layer in Q4_0, and the tied embedding in Q8_0: its rows are no multiple of Q6_K's blocks.
    expect(rows[0]?.peakGpuBytes).toBeGreaterThan(3_538_944 * 0.5625 + 49152 * 576 * 1.25);
    expect(rows[2]?.peakGpuBytes).toBeGreaterThan(rows[0]?.peakGpuBytes ?? NaN);
    expect(rows[2]?.peakFraction).toBeGreaterThan(0);
    expect(kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(kernels.map(({ kernel }) => kernel)).toContain("optimizer.update");

    const { traceEvents } = JSON.parse(folder.read("trace.json")) as { traceEvents: Event[] };
    const spans = traceEvents.filter(({ ph }) => ph === "X");
    const [cpu, gpu] = [1, 2].map((track) => spans.filter(({ tid }) => tid === track));
    const [stage, step] = ["sft", "step 3"].map((name) => cpu?.find((span) => span.name === name));
    expect(gpu?.length).toBeGreaterThan(40);
    expect(spans.every(({ dur }) => dur > 0)).toBe(true);
    for (const [outer, inner] of [[stage, step], ...(gpu ?? []).map((kernel) => [step, kernel] as const)] as const) {
      expect(inner?.ts).toBeGreaterThanOrEqual(outer?.ts ?? NaN);
      expect((inner?.ts ?? NaN) + (inner?.dur ?? NaN)).toBeLessThanOrEqual((outer?.ts ?? NaN) + (outer?.dur ?? NaN));
    }
    // On their track kernels follow one another.
    expect(gpu?.every(({ ts }, i) => i === 0 || ts >= (gpu[i - 1]?.ts ?? NaN))).toBe(true);
  });

  test.each([
    [["--shape", "llama-3.1-8b", "--layers", "33"], /expected --layers up to 32, .* got 33/],
    [["--shape", "bundled", "--layers", "1"], /expected --layers with a known shape only, got it with bundled/],
    [["--stage", "dpoo"], /expected --stage to be some of sft; sft\+cl; dpo, got dpoo/],
  ])("%j is refused", async (words, message) => {
    const { code, stderr } = await bench("train", ...words);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});
