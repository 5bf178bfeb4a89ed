import { expect, test } from "vitest";
import {
  attendedPairs,
  cachedSegments,
  nodeStarts,
  positionsEnd,
  type RowTree,
  segmentsRoom,
  sequence,
  treePositions,
  treeRows,
  treeSegments,
  widestUse,
} from "./rowTree.ts";

/** A root of two rows, under it one of three with a leaf of one below, and one of two; then a root of one row. */
const tree: RowTree = {
  nodes: [
    { count: 2, parent: null },
    { count: 3, parent: 0 },
    { count: 1, parent: 1 },
    { count: 2, parent: 0 },
    { count: 1, parent: null },
  ],
};
const NONE = 0xffffffff;

const quads = (segments: Uint32Array) =>
  Array.from({ length: segments.length / 4 }, (_, entry) => [...segments.subarray(4 * entry, 4 * entry + 4)]);

test("each node counts on from where the one above it ended", () => {
  expect([...treePositions(tree)]).toEqual([0, 1, 2, 3, 4, 5, 2, 3, 0]);
  expect(nodeStarts(tree)).toEqual([0, 2, 5, 6, 8]);
  expect(treeRows(tree)).toBe(9);
  expect(positionsEnd(tree)).toBe(6);
  expect([...treePositions(sequence(3))]).toEqual([0, 1, 2]);
  expect(positionsEnd(sequence(3))).toBe(3);
});

test("an entry says which keys, where to climb, and how far rows attend to it", () => {
  expect(quads(treeSegments(tree))).toEqual([
    [0, 1, NONE, 8],
    [0, 2, NONE, 8],
    [2, 3, 9, 6],
    [2, 4, 9, 6],
    [2, 5, 9, 6],
    [5, 6, 10, 6],
    [6, 7, 9, 8],
    [6, 8, 9, 8],
    [8, 9, NONE, 9],
    [0, 2, NONE, 8],
    [2, 5, 9, 6],
  ]);
  expect(quads(treeSegments(sequence(2)))).toEqual([
    [0, 1, NONE, 2],
    [0, 2, NONE, 2],
  ]);
});

test("attended pairs are those that climbing finds, and those that the users say", () => {
  const entries = quads(treeSegments(tree));
  let climbed = 0;
  for (let row = 0; row < 9; row++) {
    for (let entry = row; entry !== NONE; entry = entries[entry]?.[2] ?? NONE) {
      const [first = 0, end = 0] = entries[entry] ?? [];
      climbed += end - first;
    }
  }
  const used = entries.slice(0, 9).reduce((sum, [, , , users = 0], row) => sum + users - row, 0);
  expect(attendedPairs(tree)).toBe(climbed);
  expect(used).toBe(climbed);
  expect(attendedPairs(sequence(4))).toBe(10);
  expect(widestUse(tree)).toBe(8);
});

test("any tree fits the room", () => {
  const chain: RowTree = {
    nodes: Array.from({ length: 5 }, (_, i) => ({ count: 1, parent: i === 0 ? null : i - 1 })),
  };
  expect(treeSegments(chain).length).toBeLessThanOrEqual(4 * segmentsRoom(5));
  const header = { first: 0, end: 2, parent: null };
  const instruction = { first: 2, end: 3, parent: header };
  const row = { position: 3, slot: 3, start: 3, parent: instruction };
  expect(cachedSegments([row]).length).toBe(4 * segmentsRoom(1));
});

test("empty nodes, and nodes that do not follow their tree, are errors", () => {
  expect(() => treeSegments({ nodes: [{ count: 0, parent: null }] })).toThrow("got node 0 with 0 rows under null");
  const crossed = [
    { count: 1, parent: null },
    { count: 1, parent: null },
    { count: 1, parent: 0 },
  ];
  expect(() => treeSegments({ nodes: crossed })).toThrow("got node 2 with 1 rows under 0");
  expect(() => treeSegments({ nodes: [{ count: 1, parent: 0 }] })).toThrow("got node 0 with 1 rows under 0");
});

test("rows on a cache attend to the nodes above their branch, and to their branch", () => {
  const header = { first: 0, end: 3, parent: null };
  const instruction = { first: 5, end: 7, parent: header };
  const rows = [
    { position: 5, slot: 10, start: 10, parent: instruction },
    { position: 6, slot: 11, start: 10, parent: instruction },
    { position: 5, slot: 22, start: 20, parent: header },
    { position: 0, slot: 30, start: 30, parent: null },
  ];
  expect(quads(cachedSegments(rows))).toEqual([
    [10, 11, 5, 0],
    [10, 12, 5, 0],
    [20, 23, 4, 0],
    [30, 31, NONE, 0],
    [0, 3, NONE, 0],
    [5, 7, 4, 0],
  ]);
});
