// The command `obp`: finds the verb, runs it, prints its report, exits with the right code.
import { version } from "../../package.json";
import type { KernelSetting } from "../gpu/kernelChoice.ts";
import { nearMiss } from "../ner/nearMiss.ts";
import { Context } from "./context.ts";
import { errorLine, exitCode, InterruptedError, UsageError, withPath } from "./errors.ts";
import { commandHelp, verbHelp } from "./help.ts";
import { parseVerb } from "./parse.ts";
import type { Report, Verb } from "./verb.ts";

interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  /** Loaded only when asked for, so that starting stays quick. */
  load(): Promise<{ readonly verb: Verb }>;
}

const verbs: readonly VerbEntry[] = [
  { name: "model info", summary: "what a GGUF holds, and what it needs", load: () => import("./modelInfo.ts") },
  { name: "tokenize", summary: "tokens with character spans", load: () => import("./tokenize.ts") },
  { name: "score", summary: "log-probability of each completion", load: () => import("./score.ts") },
  { name: "grad", summary: "a loss and its LoRA gradients, without update", load: () => import("./grad.ts") },
  { name: "train", summary: "a stage of training", load: () => import("./train.ts") },
  { name: "predict", summary: "entities of every document", load: () => import("./predict.ts") },
  {
    name: "pairs",
    summary: "preference pairs for stage 3, of boundaries and of errors",
    load: () => import("./pairs.ts"),
  },
  {
    name: "eval",
    summary: "strict span F1, per type, boundary errors, hallucinations",
    load: () => import("./eval.ts"),
  },
  { name: "attention", summary: "how a response attends to its prompt", load: () => import("./attention.ts") },
  { name: "data convert", summary: "documents from one format to another", load: () => import("./dataConvert.ts") },
  {
    name: "data check",
    summary: "what a documents file holds, and what is wrong with it",
    load: () => import("./dataCheck.ts"),
  },
  { name: "tsne", summary: "entity representations in one plane", load: () => import("./tsne.ts") },
  { name: "bundle", summary: "the same job for PyTorch on a cluster", load: () => import("./bundle.ts") },
  { name: "bench", summary: "benchmarks on this machine's adapter", load: () => import("./bench.ts") },
];

/** The verb that the first one or two words name, and the words after it. */
function findVerb(words: readonly string[]): { entry: VerbEntry; rest: readonly string[] } {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const entry = verbs.find((candidate) => candidate.name === name);
    if (entry !== undefined) {
      return { entry, rest: words.slice(length) };
    }
  }
  const [first = "", second = ""] = words;
  const family = verbs.filter(({ name }) => name.startsWith(`${first} `));
  const typed = family.length > 0 ? `${first} ${second}`.trim() : first;
  const names = (family.length > 0 ? family : verbs).map(({ name }) => name);
  const hint = nearMiss(typed, names) || nearMiss(`${first} ${second}`, names);
  const list = family.map(({ name }) => name).join(" or ");
  throw new UsageError(
    `expected ${list === "" ? "a command" : list}, got ${typed}${hint === "" ? " (see obp --help)" : hint}`,
  );
}

async function main(words: readonly string[], signal: AbortSignal): Promise<number> {
  const [first] = words;
  if (first === undefined) {
    throw new UsageError("expected a command, got none (see obp --help)");
  }
  if (first === "--help" || first === "help") {
    await print(commandHelp(version, verbs));
    return 0;
  }
  if (first === "--version") {
    await print(version);
    return 0;
  }
  const { entry, rest } = findVerb(words);
  const { verb } = await entry.load();
  const { flags, positionals } = parseVerb(verb, rest);
  if (flags["help"] === true) {
    await print(verbHelp(entry.name, entry.summary, verb));
    return 0;
  }
  const context = new Context(
    flags["adapter-kind"] as "auto" | "gpu" | "software",
    signal,
    gpuMemory(flags["gpu-memory"] as number | undefined),
    kernels(flags["kernels"] as KernelSetting, flags["tune"] === true),
  );
  const report = await Promise.race([verb.run({ flags, positionals }, context), context.gpuFailure]);
  await printReport(report, await context.adapterName(), flags["json"] === true);
  return report.exitCode ?? 0;
}

/** Bytes. @throws UsageError where it is not above 0 */
function gpuMemory(gigabytes: number | undefined): number | undefined {
  if (gigabytes !== undefined && !(gigabytes > 0)) {
    throw new UsageError(`expected --gpu-memory above 0, in GB, got ${gigabytes}`);
  }
  return gigabytes === undefined ? undefined : gigabytes * 1e9;
}

/** @throws UsageError for both: what is measured would not be used */
function kernels(setting: KernelSetting, tune: boolean): { setting: KernelSetting; tune: boolean } {
  if (tune && setting !== "auto") {
    throw new UsageError(`expected --tune or --kernels ${setting}, got both (leave one out)`);
  }
  return { setting, tune };
}

async function printReport(report: Report, adapter: string | null, json: boolean): Promise<void> {
  if (json) {
    await print(JSON.stringify(adapter === null ? report.json : { ...report.json, adapter }));
  } else {
    await print(adapter === null ? report.text : `${report.text}\nadapter: ${adapter}`);
  }
}

/** Resolves when the system has taken the text: process.exit would cut a pipe short. @throws where it cannot be written */
function print(text: string): Promise<void> {
  return new Promise((done, failed) => {
    process.stdout.write(`${text}\n`, (error) => {
      // A reader that went away (obp … | head) is no error.
      if (error === null || error === undefined || ("code" in error && error.code === "EPIPE")) {
        done();
      } else {
        failed(withPath(error, "standard output"));
      }
    });
  });
}

/** The same on standard error, where nothing can be said of a failure. */
function complain(text: string): Promise<void> {
  return new Promise((done) => {
    process.stderr.write(`${text}\n`, () => done());
  });
}

/** npm sends the commands it runs (npx obp) each Ctrl-C once more; so close together they are one. */
const ONE_INTERRUPT_MS = 300;

/** First Ctrl-C: aborts the signal. Second: exits at once. */
function watchInterrupts(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  process.on("SIGINT", () => {
    if (!controller.signal.aborted) {
      first = performance.now();
      process.stderr.write("\nstopping after the current step; Ctrl-C again stops at once\n");
      controller.abort(new InterruptedError());
    } else if (performance.now() - first > ONE_INTERRUPT_MS) {
      process.exit(130);
    }
  });
  return controller.signal;
}

// print hears of failures by itself; a run goes on where its progress can no longer be shown.
[process.stdout, process.stderr].forEach((stream) => stream.on("error", () => undefined));

const words = process.argv.slice(2);
let code: number;
try {
  code = await main(words, watchInterrupts());
} catch (error) {
  const terminator = words.indexOf("--");
  const debug = (terminator < 0 ? words : words.slice(0, terminator)).includes("--debug");
  await complain(`error: ${errorLine(error)}`);
  if (debug && error instanceof Error) {
    await complain(error.stack ?? "");
  }
  code = exitCode(error);
}
// Dawn's threads would keep the process alive.
process.exit(code);
