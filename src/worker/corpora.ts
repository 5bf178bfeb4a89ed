// Source corpora in the studio: files of any size are copied into the browser's storage while what is in them is counted,
// and read from there when they are learned from.

import { type CorpusOptions, StreamedCorpus } from "../formats/streamCorpus.ts";
import { blobSource } from "../model/gguf/byteSource.ts";
import type { Document } from "../ner/document.ts";
import { corpusFile, listCorpora, readCorpora, saveCorpus } from "../storage/corpusStore.ts";
import type { CorpusRecord, RunInputs } from "../storage/database.ts";
import type { TrainConfig } from "../train/config.ts";
import { SourceExamples } from "../train/sourceExamples.ts";
import { checkWhole, leftOutLines, sourceOptions } from "../train/sourcePass.ts";
import { fingerprint, type OpenModel } from "./modelFacts.ts";
import type { StudioEvent } from "./protocol.ts";
import { throttle } from "./throttle.ts";

type Emit = (event: StudioEvent) => void;

const READING: CorpusOptions = { offsets: "code-points" };

/**
 * Keeps each file that is sound; of one that is not, the page is told why, and nothing is kept.
 * @throws AbortError when stopped: the files before are kept
 */
export async function addCorpora(files: readonly File[], signal: AbortSignal, emit: Emit): Promise<void> {
  emit({ kind: "phase", phase: "reading the corpora" });
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const onBytes = byteProgress(total, emit);
  for (const file of files) {
    try {
      await addCorpus(file, signal, onBytes, emit);
      emit({ kind: "corporaChanged", corpora: await listCorpora() });
    } catch (error) {
      signal.throwIfAborted();
      emit({ kind: "error", message: error instanceof Error ? error.message : String(error) });
    }
  }
}

async function addCorpus(
  file: File,
  signal: AbortSignal,
  onBytes: (bytes: Uint8Array) => void,
  emit: Emit,
): Promise<void> {
  const { name } = file;
  const corpus = await StreamedCorpus.open(blobSource(file, name), READING);
  const hash = await fingerprint(file);
  const known = (await listCorpora()).find((record) => record.fingerprint === hash);
  if (known !== undefined) {
    throw new Error(`expected a corpus that is not there yet, got ${name} again (it was added as ${known.name})`);
  }
  const counts = new CorpusCounts(name);
  await saveCorpus(name, countedPieces(corpus, counts, signal, onBytes), () => {
    const facts = { fingerprint: hash, bytes: file.size, format: corpus.format };
    return { ...facts, ...counts.finish() };
  });
  if (corpus.warnings.length > 0) emit({ kind: "warning", message: `${name}: ${corpus.warnings.join("; ")}` });
}

/** The corpus's bytes, each piece when its records have been counted: the file is read once. */
async function* countedPieces(
  corpus: StreamedCorpus,
  counts: CorpusCounts,
  signal: AbortSignal,
  onBytes: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  // More than one only where a record goes over several: no more than a record may have.
  const pieces: Uint8Array[] = [];
  const keep = (bytes: Uint8Array): void => {
    pieces.push(bytes);
    onBytes(bytes);
  };
  const taken = (): Uint8Array<ArrayBuffer>[] => pieces.splice(0).map((bytes) => new Uint8Array(bytes));
  for await (const record of corpus.records({ signal, onBytes: keep })) {
    if (pieces.length > 0) yield* taken();
    counts.add(record.document, record);
  }
  yield* taken();
}

/** Sentences, and entities of each type. */
export class CorpusCounts {
  readonly #name: string;
  readonly #entities = new Map<string, number>();
  #sentences = 0;

  /** @param name of the corpus, for messages */
  constructor(name: string) {
    this.#name = name;
  }

  /** @throws Error where the file ends in a type that nothing else in it has */
  add({ text, entities }: Document, place: Parameters<typeof checkWhole>[1]): void {
    this.#sentences++;
    for (const { end, type } of entities) {
      const before = this.#entities.get(type);
      if (before === undefined && end === text.length) checkWhole(this.#name, place, type);
      this.#entities.set(type, (before ?? 0) + 1);
    }
  }

  /** @throws Error where there is nothing to learn from */
  finish(): Pick<CorpusRecord, "sentences" | "types"> {
    if (this.#entities.size === 0) {
      throw new Error(
        `expected labelled sentences in ${this.#name}, got no entity in ${this.#sentences} of them (label some)`,
      );
    }
    const types = [...this.#entities].map(([name, entities]) => ({ name, entities }));
    return { sentences: this.#sentences, types };
  }
}

/**
 * The prompts of a source run's corpora, which are read once for it.
 * @throws Error where a corpus was deleted, or no prompt is left; AbortError when stopped
 */
export async function openSource(
  { tokenizer, config: { contextLength } }: Pick<OpenModel, "tokenizer" | "config">,
  config: TrainConfig,
  { corpora, corpusTypes }: RunInputs,
  signal: AbortSignal,
  emit: Emit,
): Promise<SourceExamples> {
  emit({ kind: "phase", phase: "reading the corpora" });
  const opened = await Promise.all((await readCorpora(corpora)).map(openCorpus));
  const onBytes = byteProgress(
    opened.reduce((sum, { size }) => sum + size, 0),
    emit,
  );
  const options = sourceOptions(config, contextLength);
  const examples = await SourceExamples.open(tokenizer, opened, corpusTypes, options, { signal, onBytes });
  const leftOut = leftOutLines(examples.facts, options);
  if (leftOut.length > 0) emit({ kind: "warning", message: `Left out: ${leftOut.join("; ")}` });
  return examples;
}

async function openCorpus(record: CorpusRecord): Promise<StreamedCorpus> {
  return StreamedCorpus.open(blobSource(await corpusFile(record), record.name), READING);
}

function byteProgress(total: number, emit: Emit): (bytes: Uint8Array) => void {
  let done = 0;
  const tell = throttle(() => emit({ kind: "progress", done, total, unit: "bytes" }));
  return ({ length }) => {
    done += length;
    tell();
  };
}
