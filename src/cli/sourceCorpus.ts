// The corpora of source pre-training: files of any size, read once to learn what is in them, then record by record.
import { StreamedCorpus } from "../formats/streamCorpus.ts";
import type { EntityType } from "../ner/document.ts";
import type { TrainConfig } from "../train/config.ts";
import { SourceExamples } from "../train/sourceExamples.ts";
import type { SourceCorpus } from "../train/sourceIndex.ts";
import type { Context } from "./context.ts";
import type { ReadingOptions } from "./documents.ts";
import { fileSource } from "./fileSource.ts";
import type { OpenedModel } from "./loadModel.ts";

interface OpenSource {
  readonly examples: SourceExamples;
  /** When no example is needed any more. */
  readonly close: () => Promise<void>;
}

type OpenFile = Awaited<ReturnType<typeof fileSource>>;

/** @throws Error where a file is not sound, or no prompt is left */
export async function openSource(
  { tokenizer, config: { contextLength } }: Pick<OpenedModel, "tokenizer" | "config">,
  paths: readonly string[],
  types: readonly EntityType[],
  config: TrainConfig,
  reading: ReadingOptions,
  context: Pick<Context, "signal" | "note" | "progress">,
): Promise<OpenSource> {
  const files: OpenFile[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(files.map((file) => file.close()));
  };
  try {
    const corpora: StreamedCorpus[] = [];
    for (const path of paths) {
      const file = await fileSource(path);
      files.push(file);
      corpora.push(await StreamedCorpus.open({ ...file, name: path }, reading));
    }
    const bytes = corpora.reduce((sum, { size }) => sum + size, 0);
    const progress = context.progress("reading", bytes, "B");
    let done = 0;
    const sources = corpora.map((corpus): SourceCorpus => ({
      name: corpus.name,
      records: (scan) => corpus.records({ ...scan, onBytes: ({ length }) => progress.update((done += length)) }),
      read: (place) => corpus.read(place),
    }));
    const { contrastiveWeight, contrastivePooling, seed, absentShare } = config;
    const pooling = contrastiveWeight > 0 ? contrastivePooling : null;
    const maxLength = Math.min(config.maxLength, contextLength);
    const options = { seed, absentShare, maxLength, pooling };
    const examples = await SourceExamples.open(tokenizer, sources, types, options, {
      signal: context.signal,
    }).finally(() => progress.finish());
    corpora.forEach(({ name, warnings }) => warnings.forEach((line) => context.note(`warning: ${name}: ${line}`)));
    sayFacts(examples, maxLength, (line) => context.note(line));
    return { examples, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function sayFacts({ facts, length }: SourceExamples, maxLength: number, note: (line: string) => void): void {
  const { sentences, present, absent, tooLong, firstTooLong, undefinedTypes } = facts;
  note(
    `${length} prompts of ${sentences} sentences: ${present} for a type that is there, ${absent} for one that is not`,
  );
  firstTooLong.forEach(({ name, tokens }) => note(`left out: ${name}: ${tokens} tokens, more than ${maxLength}`));
  if (tooLong > firstTooLong.length) {
    note(`left out: ${tooLong - firstTooLong.length} more prompts over ${maxLength} tokens`);
  }
  if (undefinedTypes.size > 0) {
    const list = [...undefinedTypes].map(([type, count]) => `${type} (${count})`).join(", ");
    note(`left out: entities of types without a definition: ${list}`);
  }
}
