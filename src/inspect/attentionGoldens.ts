/** Test helper: attention maps against the golden files of reference/attention_goldens.py. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { LoraTarget } from "../model/adapters/loraWeights.ts";
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { goldenAdapter } from "../train/goldens.ts";
import { attentionMaps, attentionMass } from "./attentionMap.ts";

interface Measured {
  /** (layers, heads, rows, columns) */
  readonly weights: number[][][][];
  /** (layers, rows, columns) */
  readonly mean: number[][][];
  /** (all layers, all heads) */
  readonly entityMass: number[][];
}

interface AttentionGolden {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly LoraTarget[];
  readonly ids: readonly number[];
  readonly responseStart: number;
  readonly entityRows: readonly number[];
  readonly rows: readonly number[];
  readonly layers: readonly number[];
  readonly heads: readonly number[];
  readonly withoutAdapter: Measured;
  readonly withAdapter: Measured;
}

/** Compares one head, the mean, all heads of the golden layers, and the mass on entities of every layer and head. */
export function testAttention(name: "bundled" | "smollm2", llama: () => Llama, tolerance: number): void {
  const file = new URL(`../../reference/goldens/${name}-attention.json`, import.meta.url);
  const golden = JSON.parse(readFileSync(file, "utf8")) as AttentionGolden;
  const { ids, rows, layers, heads, responseStart: columns, entityRows } = golden;

  test.each(["withoutAdapter", "withAdapter"] as const)(`attention probabilities ${name}, %s`, async (which) => {
    const lora = which === "withAdapter" ? Lora.fromWeights(llama(), goldenAdapter(llama(), golden)) : null;
    const expected = golden[which];
    let worst = 0;
    const compare = (actual: ArrayLike<number>, wanted: readonly number[]): void => {
      expect(actual.length).toBe(wanted.length);
      Array.from(actual, (value, i) => {
        const difference = Math.abs(value - (wanted[i] ?? NaN));
        worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
      });
    };
    const means = await attentionMaps(llama(), lora, ids, { layers, head: "mean", rows, columns });
    compare(
      means.flatMap((map) => [...map]),
      expected.mean.flat(2),
    );
    const every = await attentionMaps(llama(), lora, ids, { layers, head: "all", rows, columns });
    const size = rows.length * columns;
    const asked = every.flatMap((map) => heads.flatMap((head) => [...map.subarray(head * size, (head + 1) * size)]));
    compare(asked, expected.weights.flat(3));
    const [layer = 0, head = 0] = [layers[0], heads[1]];
    const [one = []] = await attentionMaps(llama(), lora, ids, { layers: [layer], head, rows, columns });
    compare(one, expected.weights[0]?.[1]?.flat() ?? []);
    const response = ids.map((_, row) => row).slice(columns);
    const [mass = [], none = []] = await attentionMass(llama(), lora, ids, response, [entityRows, []]);
    lora?.destroy();
    compare(mass.flat(), expected.entityMass.flat());
    expect(none.flat().every((value) => value === 0)).toBe(true);
    console.info(`${name} ${which}: largest difference ${worst.toExponential(1)}`);
    expect(worst).toBeLessThan(tolerance);
  });
}
