// obp train: one stage of training; the output folder is the PEFT adapter.
import { statSync } from "node:fs";
import { join } from "node:path";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../model/adapters/peft.ts";
import { Lora } from "../model/lora.ts";
import { largestChange, unmovedMargin } from "../train/alarms.ts";
import { checkSameRun, type RunIdentity } from "../train/checkpoint.ts";
import { packCapacity } from "../train/packing.ts";
import { adapterFiles, adapterFlag, readAdapter } from "./adapterFolder.ts";
import { checkWritable, writeFilesAtomic } from "./atomicFile.ts";
import { latestCheckpoint } from "./checkpointFiles.ts";
import { documentFlags, readDocuments, readTypes } from "./documents.ts";
import { UsageError } from "./errors.ts";
import { planTrainingMemory } from "./gpuMemory.ts";
import { Heldout } from "./heldout.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";
import { modelFlag } from "./openModel.ts";
import { trainConfig, trainConfigFlags } from "./trainConfig.ts";
import { hashAll, hashFiles, hashModel, readStepLog, runFiles, StepLogFiles } from "./trainRun.ts";
import { openStage } from "./trainStage.ts";
import { runSteps } from "./trainSteps.ts";
import { defineVerb } from "./verb.ts";

export const verb = defineVerb({
  positionals: {},
  flags: {
    model: modelFlag,
    stage: { kind: "choice", choices: ["source", "sft", "dpo"], required: true, help: "which stage" },
    train: { kind: "text", value: "FILE", multiple: true, help: "labelled documents; pairs for the stage dpo" },
    types: { kind: "text", value: "TYPES.json", help: "types to learn, one prompt per document and type" },
    adapter: { ...adapterFlag, help: "go on from this adapter, a PEFT folder; for dpo also the reference" },
    out: { kind: "text", value: "FOLDER", required: true, help: "becomes the adapter; its run/ tells how it was made" },
    heldout: { kind: "text", value: "FILE", help: "labelled documents to score while training; needs --types" },
    log: { kind: "text", value: "L.jsonl", help: "one JSON object per step (also in run/log.jsonl)" },
    resume: { kind: "switch", help: "go on from the last checkpoint in --out; starts afresh where there is none" },
    ...trainConfigFlags,
    ...documentFlags,
  },
  example:
    "npx obp train --model bundled --stage sft --train public/samples/train.jsonl --types public/samples/types.json --max-steps 2 --accumulation 1 --out /tmp/obp-adapter",
  async run({ flags }, context) {
    if (flags.train.length === 0) {
      throw new UsageError("expected --train FILE…, got none (labelled documents, or pairs for the stage dpo)");
    }
    if (flags.stage === "dpo" && flags.adapter === undefined) {
      throw new UsageError(
        "expected --adapter FOLDER for the stage dpo, got none (the SFT adapter, start and reference)",
      );
    }
    const note = (line: string) => context.note(line);
    const model = await openWithTokenizer(flags.model);
    const adapter = flags.adapter === undefined ? null : readAdapter(flags.adapter).weights;
    const config = trainConfig(flags, adapter?.config ?? null);
    const { train, types, out, heldout: heldoutFile } = flags;
    if (heldoutFile === undefined && (flags["early-stopping"] ?? flags["eval-every"]) !== undefined) {
      throw new UsageError("expected --heldout FILE with --early-stopping and --eval-every, got none (what to score)");
    }
    if (heldoutFile !== undefined && types === undefined) {
      throw new UsageError("expected --types TYPES.json with --heldout, got none (the types to score)");
    }
    const stage = await openStage({
      model,
      config,
      train,
      types,
      out,
      reading: flags,
      scored: heldoutFile !== undefined,
      context,
    });
    const heldoutInput =
      heldoutFile === undefined || types === undefined
        ? null
        : { model, documents: readDocuments(heldoutFile, flags, note), types: readTypes(types) };
    const folder = join(out, "run");
    const runLog = join(folder, "log.jsonl");
    const logFiles = [runLog, ...(flags.log === undefined ? [] : [flags.log])];
    [join(out, ADAPTER_CONFIG), ...logFiles].forEach(checkWritable);
    const modelHashes = await hashModel(model.gguf);
    const given = [types, heldoutFile].filter((file) => file !== undefined);
    const inputs = await hashFiles([...train, ...given]);
    const identity: RunIdentity = {
      config,
      model: hashAll(Object.values(modelHashes)),
      data: hashAll(Object.values(inputs)),
      start:
        flags.adapter === undefined
          ? ""
          : hashAll(Object.values(await hashFiles([join(flags.adapter, ADAPTER_WEIGHTS)]))),
    };
    const checkpoint = flags.resume ? latestCheckpoint(folder, note) : null;
    if (checkpoint !== null) {
      checkSameRun(checkpoint.identity, identity);
    } else if (flags.resume) {
      note(`no checkpoint in ${folder}: starting afresh`);
    }

    const start = adapter === null ? null : { ...adapter, config: { ...adapter.config, dropout: config.dropout } };
    const { capacity } = await context.gpu();
    const rows = packCapacity(config.packTokens, stage.longest, Math.min(config.gradAccumSteps, stage.prompts));
    const embeddingInFile = planTrainingMemory(model, config, rows, capacity, note);
    const recorded = checkpoint?.kernels ?? null;
    const { llama, lora: continued } = await loadModel(model, start, context, { embeddingInFile, recorded });
    const lora = continued ?? Lora.create(llama, config, config.seed);
    const trainer = await stage.trainer(llama, lora, checkpoint !== null);
    const before = checkpoint === null ? [] : readStepLog(runLog, checkpoint.state.stepsDone);
    if (checkpoint !== null) {
      trainer.restore(checkpoint.state);
      note(`resumed after step ${trainer.stepsDone} of ${trainer.totalSteps}`);
    }
    const files = new StepLogFiles(logFiles, before);
    const heldout =
      heldoutInput === null
        ? null
        : new Heldout({ ...heldoutInput, config, folder, context }, llama, lora, before.length);
    const run = { trainer, files, folder, identity, heldout, llama };
    const { logs, seconds, interrupted, alarms } = await runSteps(run, config, before, context);
    await stage.close();
    heldout?.destroy();

    const last = logs.at(-1);
    const written = last !== undefined || !exists(join(out, ADAPTER_CONFIG));
    const weights = await lora.read();
    if (written) {
      const facts = { config, gguf: model.gguf, modelHashes, inputs, start: identity.start, seconds };
      const webgpuAdapter = (await context.adapterName()) ?? "";
      // With early stopping the best adapter is the run's; the last one lies in its run/ either way.
      const best =
        config.earlyStopping !== null && (heldout?.best ?? null) !== null ? heldout?.bestFiles(out) : undefined;
      writeFilesAtomic(
        new Map<string, string | Uint8Array>([
          ...adapterFiles(join(folder, "last"), weights, model.config.name),
          ...(best ?? adapterFiles(out, weights, model.config.name)),
          ...runFiles(out, { ...facts, webgpuAdapter, steps: logs.length }),
        ]),
      );
    }
    const margin = config.stage === "dpo" && !interrupted ? unmovedMargin(logs) : null;
    if (margin !== null && adapter !== null) {
      const change = largestChange(adapter.tensors, weights.tensors);
      alarms.push(
        `this stage changed nothing measurable: mean margin ${margin.toPrecision(2)} in the last epoch, largest change of a weight ${change.toPrecision(2)}`,
      );
      note(`warning: ${alarms.at(-1)}`);
    }
    const tokensPerSecond = seconds > 0 ? ((last?.num_tokens ?? 0) - (before.at(-1)?.num_tokens ?? 0)) / seconds : 0;
    const losses = `loss ${logs[0]?.loss.toFixed(4)} → ${last?.loss.toFixed(4)}, `;
    const unit = config.stage === "dpo" ? "pairs" : "prompts";
    return {
      json: {
        ...{ steps: logs.length, totalSteps: trainer.totalSteps, firstLoss: logs[0]?.loss ?? null },
        ...{ lastLoss: last?.loss ?? null, seconds, tokensPerSecond, out },
        ...{ prompts: stage.prompts, leftOut: stage.leftOut, interrupted, resumedFrom: before.length, alarms },
        ...(heldout === null ? {} : { heldout: heldout.scores, best: heldout.best }),
      },
      text: [
        `${interrupted ? "interrupted after" : "trained"} ${logs.length} of ${trainer.totalSteps} steps on ${stage.prompts} ${unit} in ${seconds.toFixed(1)} s: ` +
          `${last === undefined ? "" : losses}${tokensPerSecond.toFixed(1)} tokens/s`,
        written ? `adapter written to ${out}` : `${out} left as it was`,
      ].join("\n"),
      exitCode: interrupted ? 130 : 0,
    };
  },
});

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
