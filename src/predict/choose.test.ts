import { expect, test } from "vitest";
import { chooseAmong, chooseOfAll } from "./choose.ts";

test("softmax runs over the allowed ids alone", () => {
  const { id, probability } = chooseAmong(Float32Array.of(1, 2), [7, 3]);
  expect(id).toBe(3);
  expect(probability).toBeCloseTo(1 / (1 + Math.exp(-1)), 10);
  expect(chooseAmong(Float32Array.of(-4), [5])).toEqual({ id: 5, probability: 1 });
});

test("equal logits: the lowest id, whatever the order", () => {
  expect(chooseAmong(Float32Array.of(3, 3, 2), [8, 4, 1]).id).toBe(4);
  expect(chooseOfAll(Float32Array.of(3, 3, 3))).toEqual({ id: 0, probability: 1 / 3 });
});

test("huge logits do not overflow", () => {
  expect(chooseOfAll(Float32Array.of(1e30, 0)).probability).toBe(1);
});

test("NaN among the logits is an error, wherever it stands", () => {
  for (const logits of [Float32Array.of(NaN, 1), Float32Array.of(1, NaN)]) {
    expect(() => chooseOfAll(logits)).toThrow("expected the model to give finite logits, got NaN");
  }
});

test("nothing allowed is an error", () => {
  expect(() => chooseAmong(Float32Array.of(1), [])).toThrow("at least one token");
});
