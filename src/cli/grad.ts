// obp grad: one loss and its LoRA gradients over all prompts, without update and without dropout.
import { writeSafetensors } from "../model/adapters/safetensors.ts";
import { sftGradients } from "../train/gradients.ts";
import { adapterFlag, readAdapter } from "./adapterFolder.ts";
import { checkWritable, writeFileAtomic } from "./atomicFile.ts";
import { documentFlags, readDocuments, readTypes } from "./documents.ts";
import { examplesOf } from "./examples.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";
import { modelFlag } from "./openModel.ts";
import { readPairs } from "./pairs.ts";
import { defineVerb } from "./verb.ts";

export const verb = defineVerb({
  positionals: {},
  flags: {
    model: modelFlag,
    adapter: { ...adapterFlag, required: true },
    loss: { kind: "choice", choices: ["sft", "contrastive", "dpo"], required: true, help: "which loss (now: sft)" },
    in: { kind: "text", value: "FILE", required: true, help: "documents; pairs where --types is absent" },
    types: { kind: "text", value: "TYPES.json", help: "types to ask for, one prompt per document and type" },
    ...documentFlags,
    out: { kind: "text", value: "G.safetensors", required: true, help: "the gradients, under PEFT's names" },
  },
  example:
    "npx obp train --model bundled --stage sft --train public/samples/train.jsonl --types public/samples/types.json --max-steps 1 --accumulation 1 --out /tmp/obp-adapter && " +
    "npx obp grad --model bundled --adapter /tmp/obp-adapter --loss sft --in public/samples/pairs.jsonl --out /tmp/gradients.safetensors",
  async run({ flags }, context) {
    if (flags.loss !== "sft") {
      throw new Error(`expected --loss sft, got ${flags.loss} (this version has no other loss yet)`);
    }
    const model = await openWithTokenizer(flags.model);
    const note = (line: string) => context.note(line);
    const { examples, leftOut } =
      flags.types === undefined
        ? { examples: readPairs(flags.in, model.tokenizer, model.config.contextLength), leftOut: [] }
        : examplesOf(model, readDocuments(flags.in, flags, note), readTypes(flags.types), note);
    const { weights } = readAdapter(flags.adapter);
    checkWritable(flags.out);
    const { llama, lora } = await loadModel(model, weights, context);
    if (lora === null) {
      throw new Error("expected an adapter on the model, got none (report this)");
    }
    const progress = context.progress("gradients", examples.length, "prompts");
    const { loss, supervisedTokens, gradNorm, gradients } = await sftGradients(llama, lora, examples, {
      signal: context.signal,
      onProgress: (done) => progress.update(done),
    });
    progress.finish();
    writeFileAtomic(flags.out, writeSafetensors(gradients.tensors, { format: "pt" }));
    return {
      json: {
        ...{ loss, terms: { sft: loss }, gradNorm, prompts: examples.length, supervisedTokens },
        ...{ tensors: gradients.tensors.size, leftOut, out: flags.out },
      },
      text: [
        `loss ${loss} over ${supervisedTokens} tokens of ${examples.length} prompts, gradient norm ${gradNorm}`,
        `${gradients.tensors.size} gradients written to ${flags.out}`,
      ].join("\n"),
    };
  },
});
