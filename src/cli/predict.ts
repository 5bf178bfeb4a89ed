// obp predict: entities of every document, each with its probability.
import { writeDocuments } from "../formats/formats.ts";
import type { Document } from "../ner/document.ts";
import { predictDocuments, type Prediction } from "../predict/predict.ts";
import { adapterFlag, readAdapter } from "./adapterFolder.ts";
import { checkWritable, writeFileAtomic } from "./atomicFile.ts";
import { documentFlags, readDocuments, readTypes } from "./documents.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";
import { modelFlag } from "./openModel.ts";
import { defineVerb } from "./verb.ts";

export const verb = defineVerb({
  positionals: {},
  flags: {
    model: modelFlag,
    adapter: adapterFlag,
    in: { kind: "text", value: "FILE", required: true, help: "documents; entities in them are ignored" },
    types: { kind: "text", value: "TYPES.json", required: true, help: "types to ask for" },
    out: { kind: "text", value: "P.jsonl", required: true, help: "the documents with predicted entities" },
    mode: {
      kind: "choice",
      choices: ["span", "bag", "free"],
      fallback: "span",
      help: "span: runs of the input's words; free: anything, looked up in the input (bag: not yet)",
    },
    beams: { kind: "integer", value: "N", min: 1, help: "beam width (now: 1, greedy)" },
    "max-new-tokens": { kind: "integer", value: "N", min: 1, help: "longest answer in free mode (default 256)" },
    limit: { kind: "integer", value: "N", min: 1, help: "only the first N documents" },
    ...documentFlags,
  },
  example:
    "npx obp predict --model bundled --in public/samples/heldout.jsonl --types public/samples/types.json --limit 2 --out /tmp/predicted.jsonl",
  async run({ flags }, context) {
    const { mode, beams = 1, "max-new-tokens": maxNewTokens } = flags;
    if (mode === "bag" || beams !== 1) {
      throw new Error(
        `expected --mode span or free and --beams 1, got ${mode} and ${beams} (this version cannot do that yet)`,
      );
    }
    const note = (line: string) => context.note(line);
    const model = await openWithTokenizer(flags.model);
    const types = readTypes(flags.types);
    const documents = readDocuments(flags.in, flags, note).slice(0, flags.limit);
    const adapter = flags.adapter === undefined ? null : readAdapter(flags.adapter).weights;
    checkWritable(flags.out);
    const { llama, lora } = await loadModel(model, adapter, context);

    const started = performance.now();
    const progress = context.progress("predicting", documents.length * types.length, "prompts");
    const predictions: Prediction[] = [];
    for await (const prediction of predictDocuments(llama, lora, model.tokenizer, documents, types, {
      mode,
      signal: context.signal,
      onProgress: (done) => progress.update(done),
      ...(maxNewTokens === undefined ? {} : { maxNewTokens }),
    })) {
      predictions.push(prediction);
    }
    progress.finish();
    const seconds = (performance.now() - started) / 1000;

    const leftOut = predictions.flatMap(({ documentId, leftOut: types }) =>
      types.map(({ type, tokens }) => ({ name: `${documentId} / ${type}`, tokens })),
    );
    for (const { name, tokens } of leftOut) {
      note(`left out: ${name}: ${tokens} tokens do not fit the model's context of ${model.config.contextLength}`);
    }
    const written = writeDocuments(documents.map(withPrediction(predictions)), "obp-jsonl", { offsets: flags.offsets });
    written.warnings.forEach((warning) => note(`warning: ${flags.out}: ${warning}`));
    writeFileAtomic(flags.out, written.text);
    const entities = predictions.reduce((sum, { entities: found }) => sum + found.length, 0);
    const hallucinated = predictions.reduce((sum, { hallucinated: found }) => sum + found.length, 0);
    return {
      json: { documents: documents.length, entities, hallucinated, seconds, leftOut, out: flags.out },
      text: [
        `${entities} entities in ${documents.length} documents in ${seconds.toFixed(1)} s${mode === "free" ? `, ${hallucinated} answers not in the text` : ""}`,
        `written to ${flags.out}`,
      ].join("\n"),
    };
  },
});

/** The document with what was predicted in place of its own entities. */
function withPrediction(predictions: readonly Prediction[]) {
  return (document: Document, index: number): Document => {
    const { entities = [], hallucinated = [] } = predictions[index] ?? {};
    const predicted: Document = { ...document, entities: [...entities], hallucinated };
    if (hallucinated.length === 0) {
      delete predicted.hallucinated; // and not those of the input, which may itself be a prediction
    }
    return predicted;
  };
}
