// The corpora of source pre-training: files of any size, read once to learn what is in them, then record by record.
import { StreamedCorpus } from "../formats/streamCorpus.ts";
import type { EntityType } from "../ner/document.ts";
import type { TrainConfig } from "../train/config.ts";
import { SourceExamples } from "../train/sourceExamples.ts";
import { leftOutLines, sourceOptions } from "../train/sourcePass.ts";
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
    const options = sourceOptions(config, contextLength);
    const examples = await SourceExamples.open(tokenizer, corpora, types, options, {
      signal: context.signal,
      onBytes: ({ length }) => progress.update((done += length)),
    }).finally(() => progress.finish());
    corpora.forEach(({ name, warnings }) => warnings.forEach((line) => context.note(`warning: ${name}: ${line}`)));
    const { sentences, present, absent } = examples.facts;
    context.note(
      `${examples.length} prompts of ${sentences} sentences: ${present} for a type that is there, ${absent} for one that is not`,
    );
    leftOutLines(examples.facts, options).forEach((line) => context.note(`left out: ${line}`));
    return { examples, close };
  } catch (error) {
    await close();
    throw error;
  }
}
