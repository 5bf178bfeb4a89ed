/** The first pass over source corpora (sourceExamples.ts): which types each sentence is asked for. */
import { pcg } from "../kernels/random.ref.ts";
import { nameSeed } from "../model/random.ts";
import type { Document, EntityType } from "../ner/document.ts";
import { encodePrompt, type PromptTokenizer } from "../ner/prompt.ts";
import type { TrainConfig } from "./config.ts";
import type { Pooling } from "./contrastiveRows.ts";
import type { TooLong } from "./examples.ts";
import { CorpusContents, type ScanOptions, type SourceCorpus, SourceIndex, type SourceRecord } from "./sourceIndex.ts";

export interface SourceOptions extends Pick<TrainConfig, "seed" | "absentShare" | "maxLength"> {
  /** Of the attention contrastive loss; null where it is off. */
  readonly pooling: Pooling | null;
}

/** @param contextLength of the model: no prompt is longer, whatever the settings allow */
export function sourceOptions(config: TrainConfig, contextLength: number): SourceOptions {
  const { contrastiveWeight, contrastivePooling, seed, absentShare } = config;
  const pooling = contrastiveWeight > 0 ? contrastivePooling : null;
  return { seed, absentShare, maxLength: Math.min(config.maxLength, contextLength), pooling };
}

/** What the first pass found. */
export interface SourceFacts {
  /** Records with a sentence. */
  readonly sentences: number;
  /** Prompts for a type that the sentence has, and for one that it lacks. */
  readonly present: number;
  readonly absent: number;
  /** Prompts over maxLength, and the first of them. */
  readonly tooLong: number;
  readonly firstTooLong: readonly TooLong[];
  /** Entities of types without a definition, which take no part. */
  readonly undefinedTypes: ReadonlyMap<string, number>;
}

/** What takes no part, a line each: the first prompts over maxLength, how many more, and types without a definition. */
export function leftOutLines(
  { tooLong, firstTooLong, undefinedTypes }: SourceFacts,
  { maxLength }: Pick<SourceOptions, "maxLength">,
): string[] {
  const lines = firstTooLong.map(({ name, tokens }) => `${name}: ${tokens} tokens, more than ${maxLength}`);
  if (tooLong > firstTooLong.length) {
    lines.push(`${tooLong - firstTooLong.length} more prompts over ${maxLength} tokens`);
  }
  if (undefinedTypes.size > 0) {
    const list = [...undefinedTypes].map(([type, count]) => `${type} (${count})`).join(", ");
    lines.push(`entities of types without a definition: ${list}`);
  }
  return lines;
}

/** Tokens by which texts may be longer together than apart: a token on either side of three seams, and two to spare. */
const SEAMS = 8;
const NAMES_KEPT = 10;

/** Chooses the prompts of one corpus after the other. */
export class FirstPass {
  readonly index = new SourceIndex();
  /** Tokens that no prompt has more of. */
  longest = 1;
  #present = 0;
  #tooLong = 0;
  readonly #firstTooLong: TooLong[] = [];
  readonly #undefinedTypes = new Map<string, number>();
  readonly #tokenizer: PromptTokenizer;
  readonly #types: readonly EntityType[];
  readonly #options: SourceOptions;
  readonly #typeIndex: ReadonlyMap<string, number>;
  /** Of each type: tokens of its prompt around an empty sentence. */
  readonly #fixedTokens: readonly number[];
  readonly #seed: number;

  constructor(tokenizer: PromptTokenizer, types: readonly EntityType[], options: SourceOptions) {
    [this.#tokenizer, this.#types, this.#options] = [tokenizer, types, options];
    this.#typeIndex = new Map(types.map(({ name }, index) => [name, index]));
    this.#fixedTokens = types.map((type) => encodePrompt(tokenizer, "", type, []).ids.length);
    this.#seed = nameSeed("absent types", options.seed);
  }

  async add(corpus: SourceCorpus, scanOptions: ScanOptions): Promise<void> {
    this.index.addCorpus(corpus);
    const first = this.index.records;
    const contents = new CorpusContents();
    const own = new Set<number>();
    const others = new Set<string>();
    for await (const record of corpus.records(scanOptions)) {
      const { text, entities } = record.document;
      const answers = new Map<number, number>();
      for (const { start, end, type } of entities) {
        const index = this.#typeIndex.get(type);
        if (index === undefined) {
          if (end === text.length && !others.has(type)) checkWhole(corpus.name, record, type);
          others.add(type);
          this.#undefinedTypes.set(type, (this.#undefinedTypes.get(type) ?? 0) + 1);
        } else {
          own.add(index);
          answers.set(index, (answers.get(index) ?? 0) + utf8Length(` <<< ${text.slice(start, end)} >>>`));
        }
      }
      this.index.addRecord(record);
      contents.add(utf8Length(text), answers);
    }
    await this.#choose(
      corpus,
      first,
      contents,
      [...own].sort((a, b) => a - b),
    );
  }

  /** @throws Error where no prompt is left */
  finish(): SourceFacts {
    const [tooLong, undefinedTypes] = [this.#tooLong, this.#undefinedTypes];
    if (this.index.prompts === 0) {
      const got =
        tooLong > 0
          ? `only ${tooLong} of more than ${this.#options.maxLength} tokens (raise maxLength, or split the sentences)`
          : undefinedTypes.size > 0
            ? `only entities of other types: ${[...undefinedTypes.keys()].slice(0, 20).join(", ")} (define those to learn)`
            : "no entity (label some)";
      throw new Error(`expected at least one prompt to learn from, got ${got}`);
    }
    return {
      sentences: this.index.records,
      present: this.#present,
      absent: this.index.prompts - this.#present,
      tooLong,
      firstTooLong: this.#firstTooLong,
      undefinedTypes,
    };
  }

  /** @param own types that the corpus has */
  async #choose(corpus: SourceCorpus, first: number, contents: CorpusContents, own: readonly number[]): Promise<void> {
    let record = first;
    for (const { sentenceBytes, answers } of contents) {
      const lacking = own.filter((type) => !answers.has(type));
      const asked = new Set([...answers.keys(), ...this.#absent(lacking, record)]);
      let document: Document | null = null;
      for (const type of own.filter((candidate) => asked.has(candidate))) {
        // A token holds a byte at least: most prompts fit by this bound, and need not be encoded now.
        let tokens = (this.#fixedTokens[type] ?? NaN) + SEAMS + sentenceBytes + (answers.get(type) ?? 0);
        if (tokens > this.#options.maxLength) {
          document ??= await corpus.read(this.index.place(record));
          const definition = this.#types[type] as EntityType;
          tokens = encodePrompt(this.#tokenizer, document.text, definition, document.entities).ids.length;
        }
        this.#addPrompt(corpus, record, type, tokens, answers.has(type));
      }
      record++;
    }
  }

  #addPrompt(corpus: SourceCorpus, record: number, type: number, tokens: number, isPresent: boolean): void {
    if (tokens <= this.#options.maxLength) {
      this.index.addPrompt(record, type);
      this.#present += isPresent ? 1 : 0;
      this.longest = Math.max(this.longest, tokens);
    } else if (this.#tooLong++ < NAMES_KEPT) {
      const name = promptName(corpus, this.index.place(record).line, this.#types[type] as EntityType);
      this.#firstTooLong.push({ name, tokens });
    }
  }

  /** The share of the lacking types that a sentence is asked for, at least one of them unless it is 0. */
  #absent(lacking: readonly number[], record: number): readonly number[] {
    const { absentShare } = this.#options;
    const count = absentShare === 0 ? 0 : Math.max(1, Math.round(absentShare * lacking.length));
    if (count >= lacking.length) {
      return lacking;
    }
    const key = pcg((this.#seed + record) >>> 0);
    const draws = lacking.map((type) => ({ type, draw: pcg((key + type) >>> 0) }));
    return draws
      .sort((a, b) => a.draw - b.draw)
      .slice(0, count)
      .map(({ type }) => type);
  }
}

/** @throws Error where a type that nothing else has ends a file without the end of its line: "person-wri" */
export function checkWhole(
  corpusName: string,
  { mayBeCut, line }: Pick<SourceRecord, "mayBeCut" | "line">,
  type: string,
): void {
  if (mayBeCut) {
    throw new Error(
      `expected ${corpusName} to end with a whole sentence, got one that ends in the type ${JSON.stringify(type)}, which nothing else has, in the sentence from line ${line} on (was it copied completely? if so, end the last line)`,
    );
  }
}

/** Names a prompt by its place: ids need not be unique over a mixture. */
export function promptName(corpus: SourceCorpus, line: number, type: EntityType): string {
  return `${corpus.name}:${line} / ${type.name}`;
}

const encoder = new TextEncoder();

function utf8Length(text: string): number {
  return encoder.encode(text).length;
}
