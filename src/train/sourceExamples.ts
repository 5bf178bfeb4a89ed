/**
 * Prompts of source pre-training (OBP-LLM, 3.2) over mixtures of corpora that may be larger than memory. A first pass
 * reads every file once and keeps only where its records lie and which types are asked of each; an example is read and
 * encoded when its step comes.
 *
 * A sentence is asked for the types it has, and for a share of those it lacks among the types of its own corpus: another
 * corpus's type may well be there without a label. Which ones is a function of data and seed.
 */
import type { Document, EntityType } from "../ner/document.ts";
import { encodePrompt, type PromptTokenizer } from "../ner/prompt.ts";
import { contrastiveRows, type Pooling } from "./contrastiveRows.ts";
import type { ExampleSource, TrainExample } from "./examples.ts";
import type { ScanOptions, SourceCorpus, SourceIndex } from "./sourceIndex.ts";
import { FirstPass, promptName, type SourceFacts, type SourceOptions } from "./sourcePass.ts";

/** Sentences kept for the prompts that follow soon: of one step, or of one sentence. */
const RECENT = 64;

export class SourceExamples implements ExampleSource {
  readonly facts: SourceFacts;
  /** Tokens that no prompt has more of; at most maxLength. */
  readonly longest: number;
  readonly #index: SourceIndex;
  readonly #tokenizer: PromptTokenizer;
  readonly #types: readonly EntityType[];
  readonly #pooling: Pooling | null;
  readonly #recent = new Map<number, Document>();

  /**
   * Reads all corpora once.
   * @throws Error where no prompt is left, a record is not sound, or a file is cut short
   */
  static async open(
    tokenizer: PromptTokenizer,
    corpora: readonly SourceCorpus[],
    types: readonly EntityType[],
    options: SourceOptions,
    scanOptions: ScanOptions = {},
  ): Promise<SourceExamples> {
    const pass = new FirstPass(tokenizer, types, options);
    for (const corpus of corpora) {
      await pass.add(corpus, scanOptions);
    }
    return new SourceExamples(tokenizer, types, options.pooling, pass);
  }

  private constructor(
    tokenizer: PromptTokenizer,
    types: readonly EntityType[],
    pooling: Pooling | null,
    pass: FirstPass,
  ) {
    [this.#tokenizer, this.#types, this.#pooling, this.#index] = [tokenizer, types, pooling, pass.index];
    this.facts = pass.finish();
    this.longest = pass.longest;
  }

  get length(): number {
    return this.#index.prompts;
  }

  /** @throws Error where its file can no longer be read, or has changed */
  async get(index: number): Promise<TrainExample> {
    const { corpus, record, place, type: typeIndex } = this.#index.prompt(index);
    const type = this.#types[typeIndex] as EntityType;
    const document = this.#recent.get(record) ?? (await corpus.read(place));
    this.#recent.delete(record); // set anew: a map gives its oldest entry first
    this.#recent.set(record, document);
    for (const [oldest] of this.#recent) {
      if (this.#recent.size <= RECENT) break;
      this.#recent.delete(oldest);
    }
    const encoding = encodePrompt(this.#tokenizer, document.text, type, document.entities);
    const name = promptName(corpus, place.line, type);
    const { ids, responseStart } = encoding;
    if (ids.length > this.longest) {
      throw new Error(
        `expected at most ${this.longest} tokens in ${name}, as when it was first read, got ${ids.length} (was the file changed?)`,
      );
    }
    const example = { name, ids, responseStart };
    return this.#pooling === null
      ? example
      : { ...example, contrastive: contrastiveRows(encoding, document.entities, type.name, this.#pooling) };
  }
}
