// obp bench tsne: exact t-SNE of the same vectors, ours on the GPU and a peer's in JavaScript, and how good the layouts
// are: both divergences are the CPU twin's, from the same affinities.
import { CommandQueue } from "../gpu/queue.ts";
import { normals } from "../inspect/normals.ts";
import { jointAffinities, klDivergenceRef } from "../inspect/tsne.ref.ts";
import { runTsne, TSNE_DEFAULTS, type TsneSettings } from "../inspect/tsne.ts";
import type { Vectors } from "../inspect/vectors.ts";
import { type BenchRow, HeapWatch, peakProcessBytes } from "./benchRow.ts";
import { takeTurns, type TurnLimits } from "./benchTurns.ts";
import type { Context } from "./context.ts";
import type { DruidPeer } from "./peerDruid.ts";

/** Numbers of a vector: those of a key of the models that one trains here. */
const WIDTH = 64;
const CLUSTERS = 10;
/** Of the clusters' middles, the points' own deviation being 1. */
const APART = 1.5;
const SEED = 42;
const START_SCALE = 1e-4;

export interface TsneBenchOptions extends TurnLimits {
  readonly points: number;
  readonly iterations: number;
  readonly peer: DruidPeer | null;
}

export async function benchTsne(options: TsneBenchOptions, context: Context): Promise<BenchRow[]> {
  const { points, iterations, peer } = options;
  const gpu = await context.gpu();
  const queue = new CommandQueue(gpu);
  const heap = new HeapWatch();
  const vectors = clusters(points);
  const start = Float32Array.from(normals(2 * points, SEED), (value) => START_SCALE * value);
  const settings = { ...TSNE_DEFAULTS, iterations };
  let [ours, theirs]: Float64Array[] = [];
  const works = [
    async () => {
      const began = performance.now();
      ours = await layout(queue, vectors, start, settings, options.signal);
      return (performance.now() - began) / 1000;
    },
  ];
  if (peer !== null) {
    works.push(() => {
      const began = performance.now();
      theirs = peer.tsne(vectors, settings.perplexity, iterations);
      return Promise.resolve((performance.now() - began) / 1000);
    });
  }
  try {
    // Compiles; a whole round to warm up would double a long benchmark.
    await layout(queue, vectors, start, { ...settings, iterations: 1 }, options.signal);
    const [own = NaN, peers] = await takeTurns(works, { ...options, warmUp: false });
    const affinities = jointAffinities(vectors, settings.perplexity);
    const shape = `${points}×${WIDTH}, ${iterations} iterations`;
    const row = (name: string, seconds: number, positions: Float64Array | undefined) => ({
      ...{ name: `t-SNE (${name}) ${shape}`, seconds, gflops: null, ratio: null },
      klDivergence: klDivergenceRef(affinities, positions ?? []),
      ...{ peakGpuBytes: gpu.allocated.peak, peakHeapBytes: heap.peak, peakProcessBytes: peakProcessBytes() },
      adapter: gpu.adapterName,
    });
    const mine = row("ours", own, ours);
    if (peers === undefined || peer === null) return [mine];
    // The peer runs on the CPU alone.
    const other = { ...row(peer.name, peers, theirs), peakGpuBytes: 0, adapter: `Node.js ${process.version}` };
    return [{ ...mine, ratio: peers / own }, other];
  } finally {
    heap.stop();
    queue.destroy();
  }
}

async function layout(
  queue: CommandQueue,
  vectors: Vectors,
  start: Float32Array,
  settings: TsneSettings,
  signal: AbortSignal,
): Promise<Float64Array> {
  for await (const { positions, finished } of runTsne(queue, vectors, start, settings, { signal })) {
    if (finished) return Float64Array.from(positions);
  }
  throw new Error("expected t-SNE to end with a state, got none (report this)");
}

/** Points around as many middles, the same in every run. */
function clusters(n: number): Vectors {
  const middles = normals(CLUSTERS * WIDTH, SEED + 1);
  const data = normals(n * WIDTH, SEED + 2);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < WIDTH; k++) {
      const middle = middles[(i % CLUSTERS) * WIDTH + k] ?? NaN;
      data[i * WIDTH + k] = (data[i * WIDTH + k] ?? NaN) + APART * middle;
    }
  }
  return { data, n, d: WIDTH };
}
