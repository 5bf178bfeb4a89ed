// obp train: one stage of training; the output folder is the PEFT adapter.
import { statSync } from "node:fs";
import { join } from "node:path";
import { ADAPTER_CONFIG } from "../model/adapters/peft.ts";
import { Lora } from "../model/lora.ts";
import { type StepLog, Trainer } from "../train/trainer.ts";
import { adapterFiles, adapterFlag, readAdapter } from "./adapterFolder.ts";
import { checkWritable, writeFilesAtomic } from "./atomicFile.ts";
import type { Context } from "./context.ts";
import { documentFlags, readDocuments, readTypes } from "./documents.ts";
import { InterruptedError, UsageError } from "./errors.ts";
import { examplesOf } from "./examples.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";
import { modelFlag } from "./openModel.ts";
import { trainConfig, trainConfigFlags } from "./trainConfig.ts";
import { hashModel, runFiles, StepLogFiles } from "./trainRun.ts";
import { defineVerb } from "./verb.ts";

export const verb = defineVerb({
  positionals: {},
  flags: {
    model: modelFlag,
    stage: { kind: "choice", choices: ["source", "sft", "dpo"], required: true, help: "which stage (now: sft)" },
    train: { kind: "text", value: "FILE", multiple: true, help: "labelled documents" },
    types: { kind: "text", value: "TYPES.json", help: "types to learn, one prompt per document and type" },
    adapter: { ...adapterFlag, help: "go on from this adapter, a PEFT folder" },
    out: { kind: "text", value: "FOLDER", required: true, help: "becomes the adapter; its run/ tells how it was made" },
    log: { kind: "text", value: "L.jsonl", help: "one JSON object per step (also in run/log.jsonl)" },
    resume: { kind: "switch", help: "go on from the last checkpoint (not in this version yet)" },
    ...trainConfigFlags,
    "contrastive-weight": { kind: "number", value: "X", help: "of the contrastive loss (now: 0)" },
    ...documentFlags,
  },
  example:
    "npx obp train --model bundled --stage sft --train public/samples/train.jsonl --types public/samples/types.json --max-steps 2 --accumulation 1 --out /tmp/obp-adapter",
  async run({ flags }, context) {
    refuseLaterStages(flags.stage, flags.resume, flags["contrastive-weight"]);
    if (flags.train.length === 0) {
      throw new UsageError("expected --train FILE…, got none (labelled documents)");
    }
    if (flags.types === undefined) {
      throw new UsageError("expected --types TYPES.json, got none (the types to learn, with their definitions)");
    }
    const note = (line: string) => context.note(line);
    const model = await openWithTokenizer(flags.model);
    const types = readTypes(flags.types);
    const documents = flags.train.flatMap((path) => readDocuments(path, flags, note));
    const { examples, leftOut } = examplesOf(model, documents, types, note);
    const adapter = flags.adapter === undefined ? null : readAdapter(flags.adapter).weights;
    const config = trainConfig(flags, adapter?.config ?? null);
    const logFiles = [join(flags.out, "run", "log.jsonl"), ...(flags.log === undefined ? [] : [flags.log])];
    [join(flags.out, ADAPTER_CONFIG), ...logFiles].forEach(checkWritable);
    const modelHashes = await hashModel(model.gguf);

    const start = adapter === null ? null : { ...adapter, config: { ...adapter.config, dropout: config.dropout } };
    const { llama, lora: continued } = await loadModel(model, start, context);
    const lora = continued ?? Lora.create(llama, config, config.seed);
    const trainer = await Trainer.create(llama, lora, examples, config);
    const { logs, seconds, interrupted } = await runSteps(trainer, new StepLogFiles(logFiles), context);

    const last = logs.at(-1);
    const written = last !== undefined || !exists(join(flags.out, ADAPTER_CONFIG));
    if (written) {
      const facts = { config, gguf: model.gguf, modelHashes, inputs: [...flags.train, flags.types], seconds };
      const webgpuAdapter = (await context.adapterName()) ?? "";
      writeFilesAtomic(
        new Map([
          ...adapterFiles(flags.out, await lora.read(), model.config.name),
          ...runFiles(flags.out, { ...facts, webgpuAdapter, steps: logs.length }),
        ]),
      );
    }
    const tokensPerSecond = seconds > 0 ? (last?.num_tokens ?? 0) / seconds : 0;
    const losses = `loss ${logs[0]?.loss.toFixed(4)} → ${last?.loss.toFixed(4)}, `;
    return {
      json: {
        ...{ steps: logs.length, totalSteps: trainer.totalSteps, firstLoss: logs[0]?.loss ?? null },
        ...{ lastLoss: last?.loss ?? null, seconds, tokensPerSecond, out: flags.out },
        ...{ prompts: examples.length, leftOut, interrupted },
      },
      text: [
        `${interrupted ? "interrupted after" : "trained"} ${logs.length} of ${trainer.totalSteps} steps on ${examples.length} prompts in ${seconds.toFixed(1)} s: ` +
          `${last === undefined ? "" : losses}${tokensPerSecond.toFixed(1)} tokens/s`,
        written ? `adapter written to ${flags.out}` : `${flags.out} left as it was`,
      ].join("\n"),
      exitCode: interrupted ? 130 : 0,
    };
  },
});

/** Steps until all are done or Ctrl-C; what was done stands in the log either way. */
async function runSteps(trainer: Trainer, files: StepLogFiles, context: Context) {
  const logs: StepLog[] = [];
  const progress = context.progress("training", trainer.totalSteps, "steps");
  const started = performance.now();
  let interrupted = false;
  try {
    while (trainer.stepsDone < trainer.totalSteps) {
      const log = await trainer.step(context.signal);
      files.write(log);
      logs.push(log);
      progress.update(trainer.stepsDone, `loss ${log.loss.toFixed(4)}`);
    }
  } catch (error) {
    if (!(error instanceof InterruptedError)) {
      throw error;
    }
    interrupted = true;
  } finally {
    progress.finish();
    files.close();
  }
  return { logs, seconds: (performance.now() - started) / 1000, interrupted };
}

function refuseLaterStages(stage: string, resume: boolean, contrastiveWeight = 0): void {
  const later = [
    stage !== "sft" && `--stage sft, got ${stage}`,
    resume && "a run without --resume, got it",
    contrastiveWeight !== 0 && `--contrastive-weight 0, got ${contrastiveWeight}`,
  ].find((text) => text !== false);
  if (later !== undefined) {
    throw new Error(`expected ${later} (this version cannot do that yet)`);
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
