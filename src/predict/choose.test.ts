import { expect, test } from "vitest";
import { chooseAmong, chooseOfAll } from "./choose.ts";

test("softmax runs over the allowed ids alone", () => {
  const logits = Float32Array.of(5, 1, 2, 9);
  const { id, probability } = chooseAmong(logits, [1, 2]);
  expect(id).toBe(2);
  expect(probability).toBeCloseTo(1 / (1 + Math.exp(-1)), 10);
  expect(chooseAmong(logits, [0])).toEqual({ id: 0, probability: 1 });
});

test("equal logits: the lowest id, whatever the order", () => {
  const logits = Float32Array.of(3, 3, 3);
  expect(chooseAmong(logits, [2, 1]).id).toBe(1);
  expect(chooseOfAll(logits)).toEqual({ id: 0, probability: 1 / 3 });
});

test("huge logits do not overflow", () => {
  expect(chooseOfAll(Float32Array.of(1e30, 0)).probability).toBe(1);
});

test("NaN among the logits is an error, wherever it stands", () => {
  for (const logits of [Float32Array.of(NaN, 1), Float32Array.of(1, NaN)]) {
    expect(() => chooseOfAll(logits)).toThrow("expected the model to give finite logits, got NaN");
  }
  expect(chooseAmong(Float32Array.of(NaN, 1), [1])).toEqual({ id: 1, probability: 1 });
});

test("nothing allowed is an error", () => {
  expect(() => chooseAmong(Float32Array.of(1), [])).toThrow("at least one token");
});
