import { describe, expect, test } from "vitest";
import { nodeStarts, sequence } from "../model/rowTree.ts";
import { type Pack, packCapacity, packExamples } from "./packing.ts";

const pack = (tokens: number, ...examples: readonly (readonly number[])[]) =>
  packExamples(examples, (ids) => [ids], tokens);
const only = <E>(packs: readonly Pack<E>[]): Pack<E> => {
  expect(packs.length).toBe(1);
  return packs[0] as Pack<E>;
};

describe("rows of a pack", () => {
  test("what sequences begin with in common is there once, and the rest lies depth first", () => {
    const { ids, tree, rows } = only(pack(100, [1, 2, 3, 4], [1, 2, 5, 6], [1, 2, 3, 7], [9]));
    expect(ids).toEqual([1, 2, 3, 4, 7, 5, 6, 9]);
    expect(tree.nodes).toEqual([
      { count: 2, parent: null },
      { count: 1, parent: 0 },
      { count: 1, parent: 1 },
      { count: 1, parent: 1 },
      { count: 2, parent: 0 },
      { count: 1, parent: null },
    ]);
    expect(rows).toEqual([[[0, 1, 2, 3]], [[0, 1, 5, 6]], [[0, 1, 2, 4]], [[7]]]);
  });

  test("the same sequence again, and one that is another's beginning, take no row", () => {
    const { ids, tree, rows } = only(pack(100, [4, 5, 6], [4, 5], [4, 5, 6]));
    expect(ids).toEqual([4, 5, 6]);
    expect(tree).toEqual(sequence(3));
    expect(rows).toEqual([[[0, 1, 2]], [[0, 1]], [[0, 1, 2]]]);
  });

  test("every row of every sequence holds its token, behind those before it and no others", () => {
    const random = (seed: number) => (seed * 2654435761) >>> 16;
    const sequences = Array.from({ length: 60 }, (_, s) =>
      Array.from({ length: 1 + (random(s) % 12) }, (_, i) => random(31 * s + i) % 3),
    );
    const { ids, tree, rows } = only(packExamples([sequences], (all) => all, 0));
    const starts = nodeStarts(tree);
    const seen = (row: number): number[] => {
      const own = starts.findLastIndex((first) => first <= row);
      const tokens = ids.slice(starts[own], row + 1);
      for (let up = tree.nodes[own]?.parent ?? null; up !== null; up = tree.nodes[up]?.parent ?? null) {
        const first = starts[up] ?? NaN;
        tokens.unshift(...ids.slice(first, first + (tree.nodes[up]?.count ?? NaN)));
      }
      return tokens;
    };
    sequences.forEach((all, s) => {
      rows[0]?.[s]?.forEach((row, i) => expect(seen(row)).toEqual(all.slice(0, i + 1)));
    });
    expect(ids.length).toBe(new Set(sequences.flatMap((all) => all.map((_, i) => all.slice(0, i + 1).join()))).size);
  });
});

describe("packs of a step", () => {
  const sizes = (packs: readonly Pack<readonly number[]>[]) => packs.map(({ ids }) => ids.length);

  test("are filled in order, to the last row of the budget", () => {
    const examples = [
      [1, 2, 3],
      [1, 2, 4],
      [1, 2, 5],
      [6, 7],
    ];
    expect(sizes(pack(5, ...examples))).toEqual([5, 2]);
    expect(sizes(pack(4, ...examples))).toEqual([4, 3, 2]);
    expect(sizes(pack(7, ...examples))).toEqual([7]);
    expect(pack(5, ...examples).flatMap((each) => each.examples)).toEqual(examples);
  });

  test("an example longer than the budget has one of its own, whole", () => {
    expect(sizes(pack(3, [1, 2], [1, 3, 4, 5, 6], [1, 2]))).toEqual([2, 5, 2]);
  });

  test("budget 0: one example a pack", () => {
    expect(sizes(pack(0, [1, 2], [1, 2], [1, 2, 3]))).toEqual([2, 2, 3]);
  });

  test("an example refused by a full pack leaves nothing in it", () => {
    const [first, second] = pack(4, [1, 2, 3], [1, 2, 4, 5], [1, 2, 6]);
    expect(first?.ids).toEqual([1, 2, 3]);
    expect(first?.tree).toEqual(sequence(3));
    expect(second?.ids).toEqual([1, 2, 4, 5]);
  });

  test("an example without sequences takes part and has no row", () => {
    expect(packExamples(["a"], () => [], 10)).toEqual([{ examples: ["a"], ids: [], tree: { nodes: [] }, rows: [[]] }]);
    expect(packExamples([], () => [], 10)).toEqual([]);
  });
});

test("room: the budget, the longest example where that is more, and not more than a step has", () => {
  expect(packCapacity(512, 100, 8)).toBe(512);
  expect(packCapacity(512, 700, 8)).toBe(700);
  expect(packCapacity(512, 100, 3)).toBe(300);
  expect(packCapacity(0, 100, 8)).toBe(100);
});
