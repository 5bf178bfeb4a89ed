/**
 * Many examples in one pass, without padding, and what they begin with in common once: their token ids as a trie, laid
 * out depth first. A row stands for a token behind all tokens before it, so sequences with the same beginning have the
 * same rows there, supervised ones included: such a row is supervised once for each of them, with a label of each its own,
 * and its gradient is the sum. That is exact: a row's state depends on nothing but the tokens up to it.
 */
import type { RowNode, RowTree } from "../model/rowTree.ts";

/** As many as the longest prompt that a stage takes, so that packing needs no more memory than that. */
export const PACK_TOKENS = 512;

export interface Pack<E> {
  readonly examples: readonly E[];
  /** Token of each row. */
  readonly ids: readonly number[];
  readonly tree: RowTree;
  /** Of each example, of each of its sequences, of each token: its row. */
  readonly rows: readonly (readonly (readonly number[])[])[];
}

/** Token ids of the sequences that the model reads of an example. */
type SequencesOf<E> = (example: E) => readonly (readonly number[])[];

/**
 * The examples in order, as many in each pack as fit `tokens` rows; one that is longer alone has a pack of its own.
 * @param tokens 0: one example a pack
 */
export function packExamples<E>(examples: readonly E[], sequencesOf: SequencesOf<E>, tokens: number): Pack<E>[] {
  const packs: Pack<E>[] = [];
  let builder = new PackBuilder<E>();
  for (const example of examples) {
    const sequences = sequencesOf(example);
    if (!builder.add(example, sequences, tokens)) {
      packs.push(builder.pack());
      builder = new PackBuilder<E>();
      builder.add(example, sequences, tokens);
    }
  }
  return builder.empty ? packs : [...packs, builder.pack()];
}

/**
 * Rows that the largest pack of a step may have: room for the longest example, and no more than its examples can fill.
 * @param examples in a step
 */
export function packCapacity(tokens: number, longest: number, examples: number): number {
  return Math.max(longest, Math.min(tokens, longest * examples));
}

interface TrieNode {
  readonly id: number;
  readonly children: Map<number, TrieNode>;
  row: number;
}

/** Lays sequences into a trie, token by token. */
class PackBuilder<E> {
  readonly #root = new Map<number, TrieNode>();
  readonly #examples: E[] = [];
  /** The trie's nodes along each sequence of each example. */
  readonly #paths: TrieNode[][][] = [];
  #rows = 0;

  get empty(): boolean {
    return this.#examples.length === 0;
  }

  /** @returns false, and nothing is added, where there would be more than `limit` rows; the first example always fits */
  add(example: E, sequences: readonly (readonly number[])[], limit: number): boolean {
    const added: { siblings: Map<number, TrieNode>; id: number }[] = [];
    const paths = sequences.map((ids) => {
      let siblings = this.#root;
      return ids.map((id) => {
        let node = siblings.get(id);
        if (node === undefined) {
          node = { id, children: new Map(), row: -1 };
          siblings.set(id, node);
          added.push({ siblings, id });
        }
        siblings = node.children;
        return node;
      });
    });
    if (!this.empty && this.#rows + added.length > limit) {
      added.forEach(({ siblings, id }) => siblings.delete(id));
      return false;
    }
    this.#rows += added.length;
    this.#examples.push(example);
    this.#paths.push(paths);
    return true;
  }

  pack(): Pack<E> {
    const ids: number[] = [];
    const nodes: RowNode[] = [];
    const open: { from: TrieNode; parent: number | null }[] = [];
    const push = (children: Map<number, TrieNode>, parent: number | null): void => {
      open.push(...[...children.values()].reverse().map((from) => ({ from, parent })));
    };
    push(this.#root, null);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const first = ids.length;
      let last: TrieNode | undefined = next.from;
      let children = this.#root;
      while (last !== undefined) {
        last.row = ids.length;
        ids.push(last.id);
        children = last.children;
        last = children.size === 1 ? [...children.values()][0] : undefined;
      }
      nodes.push({ count: ids.length - first, parent: next.parent });
      push(children, nodes.length - 1);
    }
    const rows = this.#paths.map((paths) => paths.map((path) => path.map(({ row }) => row)));
    return { examples: this.#examples, ids, tree: { nodes }, rows };
  }
}
