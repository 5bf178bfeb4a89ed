import { expect, test } from "vitest";
import { median, takeTurns } from "./benchTurns.ts";

const { signal } = new AbortController();

test("medians of rounds, without the first", async () => {
  const order: string[] = [];
  const works = [
    [100, 3, 1, 2],
    [100, 30, 10, 20],
  ].map((values, i) => () => {
    order.push("ab"[i] ?? "");
    return Promise.resolve(values.shift() ?? NaN);
  });
  expect(await takeTurns(works, { repeat: 3, seconds: 60, signal })).toEqual([2, 20]);
  expect(order.join("")).toBe("abababab");
});

test("no time left: one round counts all the same", async () => {
  let runs = 0;
  const work = () => Promise.resolve(runs++);
  expect(await takeTurns([work], { repeat: 9, seconds: -1, signal })).toEqual([1]);
  expect(runs).toBe(2);
});

test("without warming up the first round counts", async () => {
  let runs = 0;
  const work = () => Promise.resolve(runs++);
  expect(await takeTurns([work], { repeat: 3, seconds: 60, signal, warmUp: false })).toEqual([1]);
  expect(runs).toBe(3);
});

test("stops where it is told to", async () => {
  const stop = new AbortController();
  const work = () => {
    stop.abort();
    return Promise.resolve(1);
  };
  await expect(takeTurns([work, work], { repeat: 3, seconds: 60, signal: stop.signal })).rejects.toThrow(/abort/i);
});

test("the median of an even count lies between the two in the middle", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});
