import { describe, expect, test } from "vitest";
import { type Candidate, fastest, type TuningLimits } from "./autotune.ts";

const limits = (milliseconds = 2000): TuningLimits => ({
  ...{ end: performance.now() + milliseconds, compiling: 0.5, measuring: 1, rounds: 5, tolerance: 1e-5 },
});
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function candidate(name: string, ms: number, value = 1, prepare: () => Promise<void> = () => Promise.resolve()) {
  const runs: number[] = [];
  const one: Candidate = {
    name,
    prepare,
    run: async (times) => {
      runs.push(performance.now());
      await wait(ms * times);
    },
    result: () => Promise.resolve(Float32Array.of(value, -value)),
  };
  return { one, runs };
}

describe("the winner", () => {
  test("is the fastest, and candidates take turns", async () => {
    const [slow, quick, middle] = [candidate("slow", 30), candidate("quick", 12), candidate("middle", 20)];
    const { winner, milliseconds } = await fastest([slow.one, quick.one, middle.one], limits());
    expect(winner).toBe(1);
    expect(milliseconds.every((time) => time !== null && time > 10)).toBe(true);
    // Two runs before turns are taken.
    expect(slow.runs[3]).toBeLessThan(quick.runs[3] ?? 0);
    expect(quick.runs[3]).toBeLessThan(slow.runs[4] ?? 0);
  });

  test("is never a wrong one, nor one that does not compile", async () => {
    const broken = () => Promise.reject(new Error("expected a shader"));
    const others = [candidate("wrong", 1, 1.1), candidate("NaN", 1, NaN), candidate("broken", 1, 1, broken)];
    const all = [candidate("right", 20).one, ...others.map(({ one }) => one)];
    const { winner, milliseconds } = await fastest(all, limits());
    expect(winner).toBe(0);
    expect(milliseconds[0]).toBeGreaterThan(15);
    expect(milliseconds.slice(1)).toEqual([null, null, null]);
  });

  test("is nobody where the first does not compile or run: that is an error", async () => {
    const broken = candidate("broken", 1, 1, () => Promise.reject(new Error("no shader")));
    await expect(fastest([broken.one, candidate("other", 1).one], limits())).rejects.toThrow("no shader");
  });

  test("short computations are measured many at a time", async () => {
    const times: number[] = [];
    const { one } = candidate("short", 0);
    const counted = { ...one, run: (count: number) => (times.push(count), wait(1)) };
    await fastest([counted], limits());
    expect(Math.max(...times)).toBeGreaterThan(1);
    expect(Math.max(...times)).toBeLessThanOrEqual(64);
  });
});

describe("the time is bounded", () => {
  const took = async (work: () => Promise<unknown>) => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };

  test("one that compiles without end is not waited for, and the others are compared", async () => {
    const endless = candidate("endless", 1, 1, () => new Promise(() => undefined));
    const [first, quick] = [candidate("first", 20), candidate("quick", 8)];
    const ms = await took(async () => {
      const { winner, milliseconds } = await fastest([first.one, endless.one, quick.one], limits(600));
      expect(winner).toBe(2);
      expect(milliseconds[1]).toBeNull();
    });
    expect(ms).toBeLessThan(750);
    expect(endless.runs).toEqual([]);
  });

  test("where the first compiles too long nothing is measured, and nothing wins", async () => {
    const late = candidate("late", 1, 1, () => wait(400));
    const other = candidate("other", 1);
    const ms = await took(async () => {
      expect(await fastest([late.one, other.one], limits(300))).toEqual({ winner: null, milliseconds: [null, null] });
    });
    expect(ms).toBeLessThan(250);
    await wait(300); // it compiles after all: too late to begin
    expect([late.runs, other.runs]).toEqual([[], []]);
  });

  test("one that is hopelessly slow runs twice, all in all", async () => {
    const [first, slow, quick] = [candidate("first", 10), candidate("slow", 150), candidate("quick", 6)];
    const { winner, milliseconds } = await fastest([first.one, slow.one, quick.one], limits());
    expect(winner).toBe(2);
    expect(slow.runs).toHaveLength(2);
    expect(milliseconds[1]).toBeGreaterThan(100);
  });

  test("out of time before there is another one to compare with, nothing wins", async () => {
    const [first, other] = [candidate("first", 60), candidate("other", 1)];
    const ms = await took(async () => expect((await fastest([first.one, other.one], limits(100))).winner).toBeNull());
    expect(ms).toBeLessThan(300);
    expect(other.runs).toEqual([]);
  });

  test("a stop is heeded while others compile", async () => {
    const controller = new AbortController();
    const endless = candidate("endless", 1, 1, () => new Promise(() => undefined));
    setTimeout(() => controller.abort(new Error("stopped")), 50);
    const ms = await took(() =>
      expect(fastest([endless.one], { ...limits(5000), signal: controller.signal })).rejects.toThrow("stopped"),
    );
    expect(ms).toBeLessThan(500);
  });
});
