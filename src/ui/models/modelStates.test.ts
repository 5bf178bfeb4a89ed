import { expect, it } from "vitest";
import type { AdapterRecord } from "../../storage/database.ts";
import type { ModelState } from "../../worker/protocol.ts";
import { modelStates, withState } from "./modelStates.ts";

const adapter = (id: string, name: string, change: Partial<AdapterRecord> = {}): AdapterRecord => ({
  ...{ id, name, model: "f", modelName: "m", createdAt: 0, configJson: "{}", rank: 8, alpha: 16, targets: [] },
  ...{ file: id, bytes: 1 },
  training: {
    ...{ stage: "sft", parent: null, config: { epochs: 8 }, steps: 1, totalSteps: 1, lastLoss: 1, documents: 1 },
  },
  ...change,
});
const model = { kind: "open", facts: { fingerprint: "f" }, gpuBytes: 0 } as ModelState;

it("modelStates: base, then each adapter that fits, the last weights of a run too; no name twice", () => {
  const last = { file: "x", bytes: 1 };
  const adapters = [
    adapter("a", "mine", { last }),
    adapter("b", "mine"),
    adapter("c", "base", { training: null }),
    adapter("d", "other", { model: "g" }),
  ];
  const states = modelStates(adapters, model);
  expect(states.map(({ adapter: id, name }) => [id, name])).toEqual([
    [null, "base"],
    ["a", "SFT: mine"],
    ["a-last", "SFT: mine, last step"],
    ["b", "SFT: mine (2)"],
    ["c", "base (2)"],
  ]);
  expect(states[1]?.detail).toMatch(/, 8 epochs$/);
  expect(modelStates(adapters, { kind: "none" }).map(({ name }) => name)).toEqual(["base"]);
});

it("withState puts a state in its place, and changes places with one that is there", () => {
  expect(withState([null, "a"], 1, "b")).toEqual([null, "b"]);
  expect(withState([null, "a", "b"], 0, "b")).toEqual(["b", "a", null]);
  expect(withState([null], 1, "a")).toEqual([null, "a"]);
  expect(withState([null, "a"], 1, "a")).toEqual([null, "a"]);
  expect(withState([null], 1, null)).toEqual([null]); // none twice
});
