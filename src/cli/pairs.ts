// obp pairs: the preference pairs of stage 3, from boundary edits, from the SFT model's own wrong answers, and from the
// suggestions that annotators refused.
import type { LoraWeights } from "../model/adapters/loraWeights.ts";
import { BOUNDARY_EDITS, DEFAULT_BOUNDARY_EDITS } from "../ner/boundaryEdits.ts";
import type { Document, EntityType } from "../ner/document.ts";
import { nearMiss } from "../ner/nearMiss.ts";
import { predictDocuments } from "../predict/predict.ts";
import { fittingPreferences } from "../train/encodePairs.ts";
import type { TooLong } from "../train/examples.ts";
import {
  boundaryPreferences,
  uniquePreferences,
  type DocumentPreference,
  type DropReason,
  type PreferenceKind,
  refusedPreferences,
  wrongAnswers,
} from "../train/preferences.ts";
import { adapterFlag, readAdapter } from "./adapterFolder.ts";
import { checkWritable, writeFileAtomic } from "./atomicFile.ts";
import type { Context } from "./context.ts";
import { documentFlags, noteUnusedTypes, readDocuments, readTypes } from "./documents.ts";
import { UsageError } from "./errors.ts";
import { loadModel, openWithTokenizer, type OpenedModel } from "./loadModel.ts";
import { modelFlag } from "./openModel.ts";
import { PREFERENCE_KINDS } from "./pairsFile.ts";
import { defineVerb } from "./verb.ts";

const DEFAULT_KINDS: readonly PreferenceKind[] = [...DEFAULT_BOUNDARY_EDITS, "feedback"];

export const verb = defineVerb({
  positionals: {},
  flags: {
    model: modelFlag,
    adapter: { ...adapterFlag, required: true, help: "the SFT adapter, a PEFT folder; its errors are the feedback" },
    in: {
      kind: "text",
      value: "FILE",
      required: true,
      help: "labelled documents; spans that they name as rejected are feedback too",
    },
    types: { kind: "text", value: "TYPES.json", required: true, help: "types to ask for" },
    out: { kind: "text", value: "PAIRS.jsonl", required: true, help: `{"prompt","chosen","rejected",…}, one a line` },
    kinds: {
      kind: "text",
      value: "K",
      multiple: true,
      help: `some of ${PREFERENCE_KINDS.join(", ")} (default ${DEFAULT_KINDS.join(",")})`,
    },
    limit: { kind: "integer", value: "N", min: 1, help: "only the first N documents" },
    ...documentFlags,
  },
  example:
    "npx obp train --model bundled --stage sft --train public/samples/train.jsonl --types public/samples/types.json --max-steps 1 --accumulation 1 --out /tmp/obp-adapter && " +
    "npx obp pairs --model bundled --adapter /tmp/obp-adapter --in public/samples/train.jsonl --types public/samples/types.json --limit 2 --out /tmp/pairs.jsonl",
  async run({ flags }, context) {
    const kinds = parseKinds(flags.kinds);
    const note = (line: string) => context.note(line);
    const model = await openWithTokenizer(flags.model);
    const types = readTypes(flags.types);
    const documents = readDocuments(flags.in, flags, note).slice(0, flags.limit);
    noteUnusedTypes(documents, types, note);
    const { weights } = readAdapter(flags.adapter);
    checkWritable(flags.out);

    const edits = boundaryPreferences(
      documents,
      types,
      BOUNDARY_EDITS.filter((kind) => kinds.includes(kind)),
    );
    const wrong = kinds.includes("feedback")
      ? await askAll(model, weights, documents, types, context)
      : { preferences: [], unanswered: [] };
    const { fitting, leftOut } = fittingPreferences(model.tokenizer, model.config.contextLength, [
      ...edits.preferences,
      ...(kinds.includes("feedback") ? refusedPreferences(documents, types) : []),
      ...wrong.preferences,
    ]);
    for (const { name, tokens } of leftOut) {
      note(`left out: ${name}: ${tokens} tokens do not fit the model's context of ${model.config.contextLength}`);
    }
    const pairs = uniquePreferences(fitting);
    const droppedBy = { ...edits.dropped, duplicate: edits.dropped.duplicate + fitting.length - pairs.length };
    const dropped = Object.values(droppedBy).reduce((sum, count) => sum + count, 0);
    if (pairs.length === 0) {
      throw new Error(
        `expected at least one pair, got none${droppedText(droppedBy)} (label more entities, or choose further --kinds)`,
      );
    }
    writeFileAtomic(flags.out, pairs.map(pairLine).join(""));

    const byKind = kinds.map((kind) => [kind, pairs.filter((pair) => pair.kind === kind).length] as const);
    const feedback = pairs.filter(({ kind }) => kind === "feedback").length;
    return {
      json: {
        ...{ boundary: pairs.length - feedback, feedback, dropped },
        ...{ byKind: Object.fromEntries(byKind), droppedBy, documents: documents.length },
        ...{ leftOut, unanswered: wrong.unanswered, out: flags.out },
      },
      text: [
        `${pairs.length} pairs of ${documents.length} documents: ${byKind.map(([kind, count]) => `${kind} ${count}`).join(", ")}`,
        ...(dropped === 0 ? [] : [`dropped ${dropped}${droppedText(droppedBy)}`]),
        `written to ${flags.out}`,
      ].join("\n"),
    };
  },
});

/** Kinds by name, separated by commas or spaces, in the order of PREFERENCE_KINDS. */
function parseKinds(texts: readonly string[]): readonly PreferenceKind[] {
  const names = texts.flatMap((text) => text.split(",")).map((name) => name.trim());
  for (const name of names) {
    if (!PREFERENCE_KINDS.some((kind) => kind === name)) {
      const hint = nearMiss(name, PREFERENCE_KINDS);
      throw new UsageError(`expected --kinds of ${PREFERENCE_KINDS.join(", ")}, got ${JSON.stringify(name)}${hint}`);
    }
  }
  return names.length === 0 ? DEFAULT_KINDS : PREFERENCE_KINDS.filter((kind) => names.includes(kind));
}

/** Asks the model every training prompt, greedily and in span mode: each wrong answer makes a pair. */
async function askAll(
  model: OpenedModel,
  adapter: LoraWeights,
  documents: readonly Document[],
  types: readonly EntityType[],
  context: Context,
): Promise<{ preferences: DocumentPreference[]; unanswered: TooLong[] }> {
  const { llama, lora } = await loadModel(model, adapter, context);
  const preferences: DocumentPreference[] = [];
  const unanswered: TooLong[] = [];
  const progress = context.progress("predicting", documents.length * types.length, "prompts");
  const options = {
    mode: "span",
    signal: context.signal,
    onProgress: (done: number) => progress.update(done),
  } as const;
  let d = 0;
  for await (const prediction of predictDocuments(llama, lora, model.tokenizer, documents, types, options)) {
    const document = documents[d++];
    if (document?.id !== prediction.documentId) {
      throw new Error(`expected the prediction of document ${document?.id}, got that of ${prediction.documentId}`);
    }
    const found = wrongAnswers(document, types, prediction);
    preferences.push(...found.preferences);
    unanswered.push(...found.unanswered);
  }
  progress.finish();
  for (const { name, tokens } of unanswered) {
    context.note(`no feedback: ${name}: an answer of ${tokens} tokens does not fit the model's context`);
  }
  return { preferences, unanswered };
}

function pairLine({ prompt, chosen, rejected, kind, id, type }: DocumentPreference): string {
  return `${JSON.stringify({ prompt, chosen, rejected, kind, id, type })}\n`;
}

/** What became of edits and answers that are no pair. */
const DROPPED: Readonly<Record<DropReason, string>> = {
  outside: "leave the sentence",
  empty: "empty the span",
  gold: "give a gold span",
  overlap: "overlap another entity",
  offWords: "hold no word",
  sameText: "read as the gold answer",
  duplicate: "repeat another pair",
};

/** ": 3 leave the sentence, 1 …"; nothing where nothing was dropped. */
function droppedText(counts: Readonly<Record<DropReason, number>>): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${count} ${DROPPED[reason as DropReason]}`);
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}
