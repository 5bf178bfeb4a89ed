// obp bench: benchmarks of the engine on this machine's adapter.
import { sceneSvg } from "../inspect/sceneSvg.ts";
import { MOST_POINTS } from "../inspect/tsne.ts";
import { QUANTIZATION_MIXES } from "../model/quantizationMix.ts";
import { benchDecode } from "./benchDecode.ts";
import { benchDpo } from "./benchDpo.ts";
import { benchLoad } from "./benchLoad.ts";
import { benchMatmul, MATMUL_LAYOUTS } from "./benchMatmul.ts";
import { openBenchModel } from "./benchModel.ts";
import { benchPacking } from "./benchPacking.ts";
import { FmaPeak } from "./benchPeak.ts";
import { type BenchRow, type KernelRow, kernelsText, rowsText } from "./benchRow.ts";
import { LINEAR_NAMES, matmulCases } from "./benchShapes.ts";
import { benchScaling } from "./benchScaling.ts";
import { benchTrain, LEAST_TOKENS, TRAIN_STAGES } from "./benchTrain.ts";
import { benchTsne } from "./benchTsne.ts";
import type { TurnLimits } from "./benchTurns.ts";
import { shapeOf } from "../model/shapes.ts";
import { writeFileAtomic } from "./atomicFile.ts";
import type { Context } from "./context.ts";
import { UsageError } from "./errors.ts";
import { DruidPeer } from "./peerDruid.ts";
import { JaxPeer } from "./peerJax.ts";
import { scalingScene } from "./scalingPlot.ts";
import { defineVerb } from "./verb.ts";

/** More than the default perplexity. */
const LEAST_POINTS = 100;
const BENCHMARKS = ["matmul", "train", "decode", "dpo", "tsne", "load", "scaling", "packing"];

interface Found {
  readonly rows: readonly BenchRow[];
  readonly kernels?: readonly KernelRow[];
}

interface BenchFlags {
  readonly shape: string | undefined;
  readonly rows: readonly string[];
  readonly layout: readonly string[];
  readonly linear: readonly string[];
  readonly peer: string | undefined;
  readonly points: number | undefined;
  readonly iterations: number | undefined;
  readonly tokens: number | undefined;
  readonly stage: readonly string[];
  readonly quantization: string;
  readonly layers: number | undefined;
  readonly "all-linear": boolean;
  readonly checkpointing: string | undefined;
  readonly trace: string | undefined;
  readonly out: string | undefined;
  readonly sentences: number | undefined;
  readonly repeat: number | undefined;
  readonly seconds: number | undefined;
}

export const verb = defineVerb({
  positionals: {
    what: { help: `${BENCHMARKS.join(", ")} (default matmul)`, optional: true },
  },
  flags: {
    shape: {
      kind: "text",
      value: "SHAPE",
      help: "llama-3.1-8b, llama-3.2-1b, smollm2-135m (random weights), a GGUF file or bundled",
    },
    rows: { kind: "text", value: "T", multiple: true, help: "matmul: rows of x, one or several (default 1 128)" },
    layout: {
      kind: "text",
      value: "LAYOUT",
      multiple: true,
      help: `matmul: some of ${MATMUL_LAYOUTS.join(", ")} (default all)`,
    },
    linear: {
      kind: "text",
      value: "LINEAR",
      multiple: true,
      help: `matmul: some of ${LINEAR_NAMES.map((name) => JSON.stringify(name)).join(", ")} (default all)`,
    },
    peer: {
      kind: "choice",
      choices: ["jax-js", "druid", "none"],
      help: "matmul: jax-js, whose f32 product runs beside ours for 128 rows or more; tsne: druid (each by default)",
    },
    points: {
      kind: "integer",
      value: "N",
      min: LEAST_POINTS,
      max: MOST_POINTS,
      help: "tsne: so many vectors (default 2000)",
    },
    iterations: { kind: "integer", value: "N", min: 1, help: "tsne: of both (default 1000)" },
    tokens: { kind: "integer", value: "T", min: LEAST_TOKENS, help: "train: of a prompt and its answer (default 150)" },
    stage: {
      kind: "text",
      value: "STAGE",
      multiple: true,
      help: `train: some of ${TRAIN_STAGES.join(", ")} (default all, of a known shape sft)`,
    },
    quantization: {
      kind: "choice",
      choices: QUANTIZATION_MIXES,
      fallback: "Q4_0",
      help: "train: types of a known shape's random weights",
    },
    layers: { kind: "integer", value: "N", min: 1, help: "train: so many of a known shape's layers (default all)" },
    "all-linear": { kind: "switch", help: "train: LoRA on all seven linears instead of q, k, v, o" },
    checkpointing: {
      kind: "choice",
      choices: ["none", "layer"],
      help: "train: what is recomputed in backward (default none, of a known shape layer)",
    },
    trace: { kind: "text", value: "FILE.json", help: "train: where a trace for ui.perfetto.dev is written" },
    out: { kind: "text", value: "FILE.svg", help: "scaling: where the plot is written" },
    sentences: { kind: "integer", value: "N", min: 1, help: "decode: so many of its sentences (default all)" },
    repeat: { kind: "integer", value: "N", min: 0, help: "measured rounds, of which the median counts (default 3)" },
    seconds: {
      kind: "number",
      value: "S",
      min: 0,
      help: "no new round after so many seconds of one matmul or train step (default 10, a curve of scaling 30, else 120)",
    },
  },
  example: "npx obp bench matmul --shape bundled --rows 1 --layout Q4_0 --repeat 1",
  async run({ flags, positionals: { what = "matmul" } }, context) {
    if (!BENCHMARKS.includes(what)) {
      throw new UsageError(`expected one of ${BENCHMARKS.join(", ")}, got ${what}`);
    }
    const { rows, kernels } = await benchmark(what, flags, context);
    const text = kernels === undefined ? rowsText(rows) : `${rowsText(rows)}\n\n${kernelsText(kernels)}`;
    return { json: { rows, ...(kernels === undefined ? {} : { kernels }) }, text };
  },
});

async function benchmark(what: string, flags: BenchFlags, context: Context): Promise<Found> {
  const { shape = "bundled", repeat = 3, seconds = 120 } = flags;
  const limits = { repeat: Math.max(1, repeat), seconds, signal: context.signal };
  switch (what) {
    case "train":
      return train(flags, context);
    case "scaling":
      return scaling(flags, context);
    case "decode":
      return {
        rows: await benchDecode(shape, { ...limits, sentences: flags.sentences }, context),
      };
    case "dpo":
      return { rows: await benchDpo(shape, limits, context) };
    case "tsne":
      return { rows: await tsne(flags, limits, context) };
    case "load":
      return { rows: await benchLoad(shape, limits, context) };
    case "packing":
      return { rows: await benchPacking(shape, limits, context) };
    default:
      return { rows: await matmul(flags, context) };
  }
}

async function matmul(flags: BenchFlags, context: Context): Promise<BenchRow[]> {
  const counts = flags.rows.flatMap((text) => text.split(",")).map(rowCount);
  const linears = some("linear", flags.linear, LINEAR_NAMES);
  const cases = await matmulCases(flags.shape, linears, counts.length === 0 ? undefined : counts);
  const layouts = some("layout", flags.layout, MATMUL_LAYOUTS);
  const gpu = await context.gpu();
  const peer = withPeer("matmul", "jax-js", flags.peer)
    ? await JaxPeer.open(context.adapterKind, gpu.adapterName)
    : null;
  const peak = await FmaPeak.create(gpu);
  const progress = context.progress("matmul", cases.length, "shapes");
  try {
    return await benchMatmul(gpu, {
      ...{ cases, peer, peak, layouts: layouts ?? MATMUL_LAYOUTS },
      ...{ repeat: Math.max(1, flags.repeat ?? 3), seconds: flags.seconds ?? 10, signal: context.signal },
      onProgress: (done) => progress.update(done),
    });
  } finally {
    progress.finish();
    peak.destroy();
  }
}

async function tsne(flags: BenchFlags, limits: TurnLimits, context: Context): Promise<BenchRow[]> {
  const { points = 2000, iterations = 1000 } = flags;
  const peer = withPeer("tsne", "druid", flags.peer) ? await DruidPeer.open() : null;
  return benchTsne({ ...limits, points, iterations, peer }, context);
}

/** @throws UsageError for the peer of another benchmark */
function withPeer(what: string, own: string, peer = own): boolean {
  if (peer !== own && peer !== "none") {
    throw new UsageError(`expected --peer ${own} or none for ${what}, got ${peer}`);
  }
  return peer === own;
}

async function train(flags: BenchFlags, context: Context): Promise<Found> {
  const { shape = "bundled", layers, tokens = 150, trace } = flags;
  const mix = QUANTIZATION_MIXES.find((name) => name === flags.quantization) ?? "Q4_0";
  const wanted = some("stage", flags.stage, TRAIN_STAGES);
  const known = shapeOf(shape) !== undefined;
  const checkpointing = (flags.checkpointing ?? (known ? "layer" : "none")) === "layer" ? "layer" : "none";
  const model = await openBenchModel({ shape, mix, layers, tokens }, context);
  const peak = await FmaPeak.create(await context.gpu());
  try {
    return await benchTrain(
      model,
      {
        ...{
          tokens,
          trace,
          peak,
          allLinear: flags["all-linear"],
          checkpointing,
          stages: wanted ?? (known ? ["sft"] : TRAIN_STAGES),
        },
        ...{ repeat: flags.repeat ?? 3, seconds: flags.seconds ?? 120, signal: context.signal },
      },
      context,
    );
  } finally {
    peak.destroy();
  }
}

async function scaling(flags: BenchFlags, context: Context): Promise<Found> {
  const { repeat = 3, seconds = 30 } = flags;
  const { rows, series } = await benchScaling(
    { repeat: Math.max(1, repeat), seconds, signal: context.signal },
    context,
  );
  if (flags.out !== undefined) {
    writeFileAtomic(flags.out, sceneSvg(scalingScene((await context.gpu()).adapterName, series)));
  }
  return { rows };
}

/** The given names; undefined of none. @throws UsageError on one that is not known */
function some<T extends string>(flag: string, given: readonly string[], known: readonly T[]): T[] | undefined {
  const names = given.map((text) => {
    const name = known.find((each) => each === text);
    if (name === undefined) {
      throw new UsageError(`expected --${flag} to be some of ${known.join("; ")}, got ${text}`);
    }
    return name;
  });
  return names.length === 0 ? undefined : names;
}

function rowCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1 || text.trim() === "") {
    throw new UsageError(`expected --rows to be whole numbers from 1, got ${JSON.stringify(text)}`);
  }
  return count;
}
