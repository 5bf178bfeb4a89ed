/** What a map's history keeps, and on which scale. */
import { expect, test } from "vitest";
import { attentionPicture, paintAttention } from "./attentionPicture.ts";
import { MapHistory } from "./mapHistory.ts";

const token = (text: string) => ({ text, role: "plain" }) as const;
const [rows, columns] = [["a", "b"].map(token), ["x", "y", "z"].map(token)];
const figure = { model: "OBP Mini", layer: 1, head: "mean", heads: 4, type: "person", rows, columns } as const;
const drawn = { scale: "linear", hideFirst: false, difference: false } as const;
const map = (value: number): Float32Array => new Float32Array(6).fill(value);

test("the first and the newest map always stay; of the others every second goes where it is full", () => {
  const history = new MapHistory(figure, 8 * 6 * 4);
  for (let step = 0; step <= 100; step++) {
    history.add({ run: "one", step }, map(step / 100));
    const steps = history.moments.map((moment) => moment.step);
    expect(steps.length).toBeLessThanOrEqual(8);
    expect([steps[0], steps.at(-1)]).toEqual([0, step]);
    expect(steps.slice(0, -1).every((kept) => kept % history.keptEvery === 0)).toBe(true);
    // Nothing between them is missing but what was thinned out.
    expect(steps.length).toBe(Math.ceil(step / history.keptEvery) + 1);
  }
  expect(history.keptEvery).toBe(16);
  expect(history.figure(2).adapters.map(({ name, weights }) => [name, weights[0]])).toEqual([
    ["step 0", 0],
    ["step 32", Math.fround(0.32)],
  ]);
});

test("all times are on one scale, the first token off it where that is chosen", () => {
  const history = new MapHistory(figure, 1e6);
  history.add({ run: "one", step: 0 }, Float32Array.of(0.9, 0.1, 0, 0, 0, 0));
  history.add({ run: "one", step: 5 }, Float32Array.of(0.2, 0.4, 0, 0, 0, 0));
  history.add({ run: "two", step: 0 }, Float32Array.of(0.1, 0.05, 0, 0, 0, 0));
  const high = (index: number, options: { hideFirst?: boolean; difference?: boolean }): number =>
    paintAttention(history.figure(index), history.options({ ...drawn, ...options })).scale.high;
  expect([0, 1, 2].map((index) => high(index, {}))).toEqual([0.9, 0.9, 0.9].map(Math.fround));
  expect(high(2, { hideFirst: true })).toBe(Math.fround(0.4));
  expect(high(2, { difference: true })).toBeCloseTo(0.8, 6);
  expect(high(2, { difference: true, hideFirst: true })).toBeCloseTo(0.3, 6);
  expect(history.figure(0).adapters.map(({ name }) => name)).toEqual(["one, step 0"]);
  const { description } = attentionPicture(history.figure(2), history.options(drawn));
  expect(description).toContain("(a) one, step 0, (b) two, step 0");
  expect(description).toContain("up to 0.9");
});

test("a map that is not there", () => {
  const history = new MapHistory(figure, 1e6);
  expect(() => history.figure(0)).toThrow("expected one of 0 maps, got 0");
});
