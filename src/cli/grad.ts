// obp grad: one loss and its LoRA gradients over all prompts, without update and without dropout.
import { writeSafetensors } from "../model/adapters/safetensors.ts";
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { STAGE_DEFAULTS } from "../train/presets.ts";
import { POOLINGS } from "../train/contrastiveRows.ts";
import { pairLogprobs, withReference } from "../train/dpoExamples.ts";
import { encodePreferences } from "../train/encodePairs.ts";
import { responseLength } from "../train/examples.ts";
import { contrastiveGradients, dpoGradients, type Gradients, sftGradients } from "../train/gradients.ts";
import { LOSS_TERMS } from "../train/objective.ts";
import { adapterFlag, readAdapter } from "./adapterFolder.ts";
import { checkWritable, writeFileAtomic } from "./atomicFile.ts";
import type { Context } from "./context.ts";
import { documentFlags, readDocuments, readTypes } from "./documents.ts";
import { UsageError } from "./errors.ts";
import { examplesOf } from "./examples.ts";
import { loadModel, type OpenedModel, openWithTokenizer } from "./loadModel.ts";
import { modelFlag } from "./openModel.ts";
import { readPairs, readPreferences } from "./pairsFile.ts";
import { defineVerb, type FlagValues } from "./verb.ts";

const flags = {
  model: modelFlag,
  adapter: { ...adapterFlag, required: true },
  loss: { kind: "choice", choices: ["sft", "contrastive", "dpo"], required: true, help: "which loss" },
  in: { kind: "text", value: "FILE", required: true, help: "documents; pairs where --types is absent" },
  types: { kind: "text", value: "TYPES.json", help: "types to ask for, one prompt per document and type" },
  reference: { ...adapterFlag, help: "dpo: the frozen policy, a PEFT folder (default: --adapter)" },
  "contrastive-layer": { kind: "integer", value: "N", min: 0, help: "contrastive: the layer (default: 26 of 32)" },
  pooling: { kind: "choice", choices: POOLINGS, help: "contrastive: of tokens to a vector (default mean)" },
  rope: { kind: "choice", choices: ["pre", "post"], help: "contrastive: queries before or after it (default pre)" },
  ...documentFlags,
  out: { kind: "text", value: "G.safetensors", required: true, help: "the gradients, under PEFT's names" },
} as const;

/** What a loss makes of its input, once the model is on the GPU. */
interface Task {
  readonly prompts: number;
  readonly supervisedTokens: number;
  readonly leftOut: readonly unknown[];
  run(llama: Llama, lora: Lora, onProgress: (done: number) => void): Promise<Gradients>;
}

export const verb = defineVerb({
  positionals: {},
  flags,
  example:
    "npx obp train --model bundled --stage sft --train public/samples/train.jsonl --types public/samples/types.json --max-steps 1 --accumulation 1 --out /tmp/obp-adapter && " +
    "npx obp grad --model bundled --adapter /tmp/obp-adapter --loss sft --in public/samples/pairs.jsonl --out /tmp/gradients.safetensors",
  async run({ flags: given }, context) {
    const model = await openWithTokenizer(given.model);
    const task = given.loss === "dpo" ? dpoTask(model, given, context) : documentTask(model, given, context);
    const { weights } = readAdapter(given.adapter);
    checkWritable(given.out);
    const { llama, lora } = await loadModel(model, weights, context);
    if (lora === null) {
      throw new Error("expected an adapter on the model, got none (report this)");
    }
    const progress = context.progress("gradients", task.prompts, given.loss === "dpo" ? "pairs" : "prompts");
    const { loss, gradNorm, gradients, ...losses } = await task.run(llama, lora, (done) => progress.update(done));
    progress.finish();
    writeFileAtomic(given.out, writeSafetensors(gradients.tensors, { format: "pt" }));
    const parts = LOSS_TERMS.flatMap((term) => (term in losses ? [[term.replace(/_loss$/u, ""), losses[term]]] : []));
    const terms = given.loss === "sft" ? { sft: loss } : (Object.fromEntries(parts) as Record<string, number>);
    const { prompts, supervisedTokens, leftOut } = task;
    const counted = `${prompts} ${given.loss === "dpo" ? "pairs" : "prompts"}`;
    const extent = supervisedTokens === 0 ? counted : `${supervisedTokens} tokens of ${counted}`;
    return {
      json: {
        ...{ loss, terms, gradNorm, prompts, supervisedTokens },
        ...{ tensors: gradients.tensors.size, leftOut, out: given.out },
      },
      text: [
        `loss ${loss} over ${extent}, gradient norm ${gradNorm}`,
        `${gradients.tensors.size} gradients written to ${given.out}`,
      ].join("\n"),
    };
  },
});

function documentTask(model: OpenedModel, given: FlagValues<typeof flags>, context: Context): Task {
  const { signal } = context;
  const note = (line: string) => context.note(line);
  if (given.types === undefined && given.loss === "contrastive") {
    throw new UsageError(
      "expected --types TYPES.json for the contrastive loss, got none (it reads types and entities)",
    );
  }
  const pooling = given.loss === "contrastive" ? (given.pooling ?? "mean") : null;
  const { examples, leftOut } =
    given.types === undefined
      ? { examples: readPairs(given.in, model.tokenizer, model.config.contextLength), leftOut: [] }
      : examplesOf(model, readDocuments(given.in, given, note), readTypes(given.types), note, pooling);
  const contrastive = { layer: given["contrastive-layer"] ?? null, rope: given.rope ?? "pre" };
  return {
    prompts: examples.length,
    supervisedTokens: pooling === null ? examples.reduce((sum, example) => sum + responseLength(example), 0) : 0,
    leftOut,
    run: (llama, lora, onProgress) =>
      pooling === null
        ? sftGradients(llama, lora, examples, { signal, onProgress })
        : contrastiveGradients(llama, lora, examples, contrastive, { signal, onProgress }),
  };
}

function dpoTask(model: OpenedModel, given: FlagValues<typeof flags>, { signal }: Context): Task {
  const pairs = encodePreferences(model.tokenizer, model.config.contextLength, readPreferences(given.in));
  const reference = readAdapter(given.reference ?? given.adapter).weights;
  return {
    prompts: pairs.length,
    supervisedTokens: pairs
      .flatMap(({ chosen, rejected }) => [chosen, rejected])
      .reduce((sum, answer) => sum + responseLength(answer), 0),
    leftOut: [],
    async run(llama, lora, onProgress) {
      const policy = Lora.fromWeights(llama, reference);
      const logprobs = await pairLogprobs(llama, policy, pairs, { signal });
      policy.destroy();
      return dpoGradients(llama, lora, withReference(pairs, logprobs), STAGE_DEFAULTS.dpo, { signal, onProgress });
    },
  };
}
