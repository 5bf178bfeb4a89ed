import { expect, test } from "vitest";
import { type Candidate, fastest } from "./autotune.ts";

const limits = { budget: 2000, rounds: 5, tolerance: 1e-5 };
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function candidate(name: string, ms: number, value = 1, prepare: () => Promise<void> = () => Promise.resolve()) {
  const runs: number[] = [];
  const one: Candidate = {
    name,
    prepare,
    run: async () => {
      runs.push(performance.now());
      await wait(ms);
    },
    result: () => Promise.resolve(Float32Array.of(value, -value)),
  };
  return { one, runs };
}

test("the fastest wins, and candidates take turns", async () => {
  const [slow, quick, middle] = [candidate("slow", 30), candidate("quick", 5), candidate("middle", 15)];
  const { winner, milliseconds } = await fastest([slow.one, quick.one, middle.one], limits);
  expect(winner).toBe(1);
  expect(milliseconds.every((time) => time !== null && time > 3)).toBe(true);
  expect(slow.runs[1]).toBeLessThan(quick.runs[1] ?? 0);
  expect(quick.runs[1]).toBeLessThan(slow.runs[2] ?? 0);
});

test("a wrong result never wins, nor one that does not compile", async () => {
  const broken = () => Promise.reject(new Error("expected a shader"));
  const others = [candidate("wrong", 1, 1.1), candidate("NaN", 1, NaN), candidate("broken", 1, 1, broken)];
  const { winner, milliseconds } = await fastest([candidate("right", 20).one, ...others.map(({ one }) => one)], limits);
  expect(winner).toBe(0);
  expect(milliseconds.slice(1)).toEqual([null, null, null]);
});

test("out of time the first stays, and what comes later is not begun", async () => {
  const compiles = candidate("compiles long", 1, 1, () => wait(80));
  const late = candidate("late", 1);
  const { winner } = await fastest([candidate("first", 20).one, compiles.one, late.one], { ...limits, budget: 50 });
  expect(winner).toBe(0);
  expect(late.runs).toEqual([]);
});

test("a first that fails is an error: it is what would run without tuning", async () => {
  const broken = candidate("broken", 1, 1, () => Promise.reject(new Error("no shader")));
  await expect(fastest([broken.one], limits)).rejects.toThrow("no shader");
});
