// obp bench packing: the prompts of one training step, packed with what they begin with in common once, against a batch
// padded to the longest, as trainers without packing run it, and against one prompt at a time: the same gradients. The
// prompts are those of a real episode (Hou et al. 2020, in OBP_DATA_DIR), in the order in which training takes them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocuments } from "../formats/formats.ts";
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { Workspace } from "../model/workspace.ts";
import type { EntityType } from "../ner/document.ts";
import { PAPER_SFT } from "../train/config.ts";
import { buildExamples, inMemory, readTokens, type TrainExample } from "../train/examples.ts";
import { Adam } from "../train/optimizer.ts";
import { type Pack, packExamples } from "../train/packing.ts";
import { epochOrder } from "../train/schedule.ts";
import { SftObjective } from "../train/sft.ts";
import { type BenchRow, HeapWatch, peakProcessBytes } from "./benchRow.ts";
import { takeTurns, type TurnLimits } from "./benchTurns.ts";
import type { Context } from "./context.ts";
import { loadModel, type OpenedModel, openWithTokenizer } from "./loadModel.ts";

const FOLDER = "crossner-hou2020";
const EPISODE = { file: "5shot/Wiki.json", prefix: "Wiki/0/support/" } as const;
const DESCRIPTIONS = "ner_slot_description.txt";
const BATCH = 8;
/** Sums in another order: some hundred f32 terms in each of the products behind one another. */
const SAME = 1e-4;

interface Way {
  readonly name: string;
  readonly packs: readonly Pack<TrainExample>[];
}

export async function benchPacking(model: string, limits: TurnLimits, context: Context): Promise<BenchRow[]> {
  const opened = await openWithTokenizer(model);
  const batch = episodeBatch(opened);
  const ways: readonly Way[] = [
    { name: "padded to the longest", packs: [paddedPack(batch)] },
    { name: "one prompt a pass", packs: packExamples(batch, sequencesOf, 0) },
    { name: `packs of ${PAPER_SFT.packTokens}`, packs: packExamples(batch, sequencesOf, PAPER_SFT.packTokens) },
  ];
  const gpu = await context.gpu();
  const heap = new HeapWatch();
  const { llama } = await loadModel(opened, null, context);
  await llama.prepareTraining();
  const lora = await filledLora(llama);
  const steps = ways.map((way) => new StepOf(llama, lora, batch, way));
  try {
    const seconds = await takeTurns(
      steps.map((step) => () => step.seconds()),
      limits,
    );
    await checkSame(ways, steps);
    const tokens = batch.reduce((sum, { ids }) => sum + ids.length, 0);
    return ways.map(({ name, packs }, i) => ({
      name: `step of ${BATCH} prompts, ${name}: ${packs.reduce((sum, { ids }) => sum + ids.length, 0)} rows`,
      seconds: seconds[i] ?? NaN,
      gflops: null,
      ratio: i === 0 ? null : (seconds[0] ?? NaN) / (seconds[i] ?? NaN),
      tokensPerSecond: tokens / (seconds[i] ?? NaN),
      peakGpuBytes: llama.gpuBytes + (steps[i]?.gpuBytes ?? NaN),
      peakHeapBytes: heap.peak,
      peakProcessBytes: peakProcessBytes(),
      adapter: gpu.adapterName,
    }));
  } finally {
    heap.stop();
    steps.forEach((step) => step.destroy());
    llama.destroy();
  }
}

/** A step's work but for a change of the weights, so that every round is the same. */
class StepOf {
  readonly #llama: Llama;
  readonly #lora: Lora;
  readonly #batch: readonly TrainExample[];
  readonly #packs: Way["packs"];
  readonly #objective: SftObjective;
  readonly #workspace: Workspace;
  readonly #adam: Adam;

  constructor(llama: Llama, lora: Lora, batch: readonly TrainExample[], { packs }: Way) {
    [this.#llama, this.#lora, this.#batch, this.#packs] = [llama, lora, batch, packs];
    this.#objective = new SftObjective(llama, inMemory(batch), { weight: 0, layer: null, rope: "pre" });
    const rows = Math.max(...packs.map(({ ids }) => ids.length));
    this.#workspace = new Workspace(llama, rows, lora.R, "layer", false);
    this.#adam = new Adam(llama, lora);
  }

  get gpuBytes(): number {
    return this.#objective.gpuBytes + this.#workspace.gpuBytes + this.#adam.gpuBytes + this.#lora.gpuBytes;
  }

  async seconds(): Promise<number> {
    const [llama, lora, workspace, loraGradients] = [this.#llama, this.#lora, this.#workspace, this.#adam.gradients];
    const began = performance.now();
    this.#objective.begin(this.#batch);
    this.#adam.clear();
    for (const pack of this.#packs) {
      await this.#objective.accumulate(pack, { llama, lora, workspace, loraGradients, dropout: null });
    }
    const { gradScale } = this.#objective;
    this.#adam.update({ step: 0, gradScale, maxGradNorm: 1, learningRate: 0, weightDecay: 0 });
    await this.#objective.losses();
    await this.#adam.norm();
    return (performance.now() - began) / 1000;
  }

  /** As the last `seconds` left them. */
  async gradients(): Promise<Float32Array[]> {
    const { tensors } = await this.#lora.readPages(this.#adam.gradients);
    return [...tensors.values()].map(({ data }) => data);
  }

  destroy(): void {
    this.#objective.destroy();
    this.#workspace.destroy();
    this.#adam.destroy();
  }
}

/** @throws Error where a way's last step did not give the gradients of the first way's */
async function checkSame(ways: readonly Way[], steps: readonly StepOf[]): Promise<void> {
  let first: Float32Array[] | null = null;
  for (const [i, step] of steps.entries()) {
    const own = await step.gradients();
    first ??= own;
    const difference = Math.hypot(...own.map((data, t) => distance(data, first?.[t])));
    const norm = Math.hypot(...own.map((data) => distance(data)));
    if (!(difference <= SAME * norm)) {
      throw new Error(`expected the gradients of ${ways[0]?.name} with ${ways[i]?.name}, got others (report this)`);
    }
  }
}

/** ‖data − other‖; without another, ‖data‖. */
function distance(data: Float32Array, other?: Float32Array): number {
  return Math.sqrt(
    data.reduce((sum, value, i) => sum + (value - (other === undefined ? 0 : (other[i] ?? NaN))) ** 2, 0),
  );
}

function sequencesOf(example: TrainExample): readonly (readonly number[])[] {
  return [readTokens(example)];
}

/** Every prompt on its own, filled up to the length of the longest with tokens that nothing supervises or attends to. */
function paddedPack(examples: readonly TrainExample[]): Pack<TrainExample> {
  const longest = Math.max(...examples.map(({ ids }) => ids.length));
  const ids = examples.flatMap((example) => [
    ...example.ids,
    ...new Array<number>(longest - example.ids.length).fill(0),
  ]);
  const rows = examples.map((example, i) => [example.ids.map((_, token) => i * longest + token)]);
  return { examples, ids, tree: { nodes: examples.map(() => ({ count: longest, parent: null })) }, rows };
}

/** The first step's prompts of an episode's support set. */
function episodeBatch({ tokenizer, config }: OpenedModel): TrainExample[] {
  const folder = process.env["OBP_DATA_DIR"];
  if (folder === undefined) {
    throw new Error(`expected the folder of the corpora, with ${FOLDER} in it, in OBP_DATA_DIR, got nothing`);
  }
  const all = parseDocuments(readFileSync(join(folder, FOLDER, EPISODE.file)), { format: "hou-episodes" }).documents;
  const documents = all.filter(({ id }) => id.startsWith(EPISODE.prefix));
  const names = [...new Set(documents.flatMap(({ entities }) => entities.map(({ type }) => type)))].sort();
  const types = typesOf(readFileSync(join(folder, FOLDER, DESCRIPTIONS), "utf8"), names);
  const { examples } = buildExamples(tokenizer, documents, types, config.contextLength);
  const batch = epochOrder(examples.length, PAPER_SFT.seed, 0).slice(0, BATCH);
  return batch.flatMap((index) => examples[index] ?? []);
}

/** Lines "LABEL : description". */
function typesOf(text: string, names: readonly string[]): EntityType[] {
  const lines = text.split("\n").map((line) => line.split(" : "));
  return names.map((name) => {
    const [, ...definition] = lines.find(([label]) => label?.toLowerCase() === name.toLowerCase()) ?? [];
    return { name, definition: definition.join(", ").trim() || name };
  });
}

/** With a B that is not zero, so that A has a gradient too. */
async function filledLora(llama: Llama): Promise<Lora> {
  const fresh = Lora.create(llama, PAPER_SFT, PAPER_SFT.seed);
  const { config, tensors } = await fresh.read();
  fresh.destroy();
  const filled = new Map(
    [...tensors].map(([name, { shape, data }]) => [name, { shape, data: data.map((_, i) => 0.02 * Math.sin(i + 1)) }]),
  );
  return Lora.fromWeights(llama, { config, tensors: filled });
}
