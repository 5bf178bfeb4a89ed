/**
 * What the rows of a pass attend to: a forest of nodes, each a run of consecutive rows, laid out depth first (a node's
 * rows, then its first child with all behind that, then the next). A row attends to all rows of the nodes above its own
 * and to its own node's rows up to itself, and counts its position from the root. So prompts packed into one pass are
 * roots side by side, and what several of them begin with runs once, as their parent.
 */

export interface RowNode {
  /** Rows, at least one. */
  readonly count: number;
  /** Index of the node above, null for a root. */
  readonly parent: number | null;
}

export interface RowTree {
  readonly nodes: readonly RowNode[];
}

/** Slots of the cache that rows attend to whole, after those of the node above. */
export interface CachedNode {
  readonly first: number;
  readonly end: number;
  readonly parent: CachedNode | null;
}

/** What a row of a decoding pass attends to: the nodes above it, and the slots from `start` to its own. */
export interface CachedRow {
  readonly position: number;
  readonly slot: number;
  readonly start: number;
  readonly parent: CachedNode | null;
}

/** Nodes above a row of a cache at most: what all prompts begin with, and a type's instruction. */
export const CACHED_DEPTH = 2;

/** Parent of a root, in the segments. */
const NONE = 0xffffffff;
/** Numbers of an entry of the segments. */
const ENTRY = 4;

/** Entries that the segments of any pass of so many rows fit into: its rows, and the nodes that they hang on. */
export function segmentsRoom(rows: number): number {
  return (1 + CACHED_DEPTH) * rows;
}

/** One sequence. */
export function sequence(rows: number): RowTree {
  return { nodes: [{ count: rows, parent: null }] };
}

export function treeRows({ nodes }: RowTree): number {
  return nodes.reduce((rows, { count }) => rows + count, 0);
}

interface PlacedNode {
  readonly first: number;
  /** One past its own rows, and past those of all nodes below it. */
  readonly end: number;
  readonly below: number;
  /** Of its first row. */
  readonly position: number;
  readonly parent: number | null;
}

/** @throws Error where a node has no row, or the nodes do not lie depth first */
function placed({ nodes }: RowTree): PlacedNode[] {
  const list: (PlacedNode & { below: number })[] = [];
  let first = 0;
  nodes.forEach(({ count, parent }, index) => {
    const above = parent === null ? null : list[parent];
    if (count < 1 || above === undefined || (above !== null && above.below !== first)) {
      throw new Error(
        `expected nodes with a row at least, depth first, got node ${index} with ${count} rows under ${parent}`,
      );
    }
    const position = above === null ? 0 : above.position + above.end - above.first;
    const end = first + count;
    list.push({ first, end, below: end, position, parent });
    for (let up = parent; up !== null; up = list[up]?.parent ?? null) {
      (list[up] as { below: number }).below = end;
    }
    first = end;
  });
  return list;
}

/** First row of each node. */
export function nodeStarts(tree: RowTree): number[] {
  return placed(tree).map(({ first }) => first);
}

/** Position of each row: a node goes on counting where the one above it ended. */
export function treePositions(tree: RowTree): Uint32Array<ArrayBuffer> {
  const positions = new Uint32Array(treeRows(tree));
  for (const { first, end, position } of placed(tree)) {
    for (let row = first; row < end; row++) {
      positions[row] = position + row - first;
    }
  }
  return positions;
}

/** One past the highest position. */
export function positionsEnd(tree: RowTree): number {
  return placed(tree).reduce((top, { first, end, position }) => Math.max(top, position + end - first), 0);
}

/** Pairs of a row and a row that it attends to, itself included: attention's work. */
export function attendedPairs(tree: RowTree): number {
  return placed(tree).reduce((pairs, { first, end, position }) => {
    const count = end - first;
    return pairs + count * position + (count * (count + 1)) / 2;
  }, 0);
}

/** Most rows that attend to one row, itself included. */
export function widestUse(tree: RowTree): number {
  return placed(tree).reduce((widest, { first, below }) => Math.max(widest, below - first), 0);
}

/** The entries that shaders/attention.wgsl reads: (first key, one past the last, parent's entry, users). */
export function treeSegments(tree: RowTree): Uint32Array<ArrayBuffer> {
  const nodes = placed(tree);
  const rows = treeRows(tree);
  const parents = [...new Set(nodes.map(({ parent }) => parent))].filter((parent) => parent !== null);
  const entryOf = new Map(parents.map((node, index) => [node, rows + index]));
  const entryAbove = (parent: number | null) => (parent === null ? NONE : (entryOf.get(parent) ?? NONE));
  const segments = new Uint32Array(ENTRY * (rows + parents.length));
  nodes.forEach(({ first, end, below, parent }, index) => {
    const above = entryAbove(parent);
    for (let row = first; row < end; row++) {
      segments.set([first, row + 1, above, below], ENTRY * row);
    }
    const entry = entryOf.get(index);
    if (entry !== undefined) {
      segments.set([first, end, above, below], ENTRY * entry);
    }
  });
  return segments;
}

/** The same where the keys are slots of a cache; `users` is 0, since nothing is trained there. */
export function cachedSegments(rows: readonly CachedRow[]): Uint32Array<ArrayBuffer> {
  const entryOf = new Map<CachedNode, number>();
  const above: number[] = [];
  const entryFor = (node: CachedNode | null): number => {
    if (node === null) return NONE;
    const known = entryOf.get(node);
    if (known !== undefined) return known;
    const parent = entryFor(node.parent);
    const entry = rows.length + entryOf.size;
    entryOf.set(node, entry);
    above.push(node.first, node.end, parent, 0);
    return entry;
  };
  const own = rows.flatMap(({ slot, start, parent }) => [start, slot + 1, entryFor(parent), 0]);
  return Uint32Array.from([...own, ...above]);
}
