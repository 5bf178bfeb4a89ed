// Tags of words ↔ spans of words. Reading is conlleval's (Tjong Kim Sang & Buchholz 2000), which covers IOB1, IOB2,
// IOBES and BILOU at once: a span starts at B, S or U, and at any other tag whose predecessor does not continue into it.

/** `first` and `last` are word indices, both inclusive. */
export interface TagSpan {
  readonly first: number;
  readonly last: number;
  readonly type: string;
}

type OpenSpan = { -readonly [Key in keyof TagSpan]: TagSpan[Key] };

const PREFIXED = /^([BIESLU])-(.+)$/;

/** Whether a label is one of BIO, IOBES or BILOU: `O` or a prefix, a hyphen and a type. */
export function isPrefixedTag(tag: string): boolean {
  return tag === "O" || PREFIXED.test(tag);
}

/**
 * The spans of one sentence's tags, each of which must satisfy isPrefixedTag. `unopened`: indices of words where a span
 * starts without its B (in IOB1 that is how spans start; elsewhere it is a slip of the annotation).
 */
export function spansOfPrefixedTags(tags: readonly string[]): { spans: TagSpan[]; unopened: number[] } {
  const spans: OpenSpan[] = [];
  const unopened: number[] = [];
  let open: OpenSpan | undefined;
  for (const [index, tag] of tags.entries()) {
    const [, prefix = "O", type = ""] = PREFIXED.exec(tag) ?? [];
    const mayContinue = "IEL".includes(prefix);
    if (mayContinue && open?.type === type) {
      open.last = index;
    } else {
      open = undefined;
      if (prefix === "O") continue;
      if (mayContinue) unopened.push(index);
      open = { first: index, last: index, type };
      spans.push(open);
    }
    if ("ELSU".includes(prefix)) open = undefined;
  }
  return { spans, unopened };
}

/** IO tags (Few-NERD): neighbouring words with the same type are one span. */
export function spansOfTypeTags(tags: readonly string[]): TagSpan[] {
  const spans: TagSpan[] = [];
  for (let first = 0; first < tags.length;) {
    const type = tags[first] ?? "O";
    let last = first;
    while (tags[last + 1] === type) last++;
    if (type !== "O") spans.push({ first, last, type });
    first = last + 1;
  }
  return spans;
}

/** IOB2: B- on the first word of each span, I- on the others. Spans must not overlap. */
export function prefixedTags(wordCount: number, spans: readonly TagSpan[]): string[] {
  return fillTags(wordCount, spans, ({ first, type }, index) => `${index === first ? "B" : "I"}-${type}`);
}

/** IO: the bare type on every word of a span. Spans must not overlap. */
export function typeTags(wordCount: number, spans: readonly TagSpan[]): string[] {
  return fillTags(wordCount, spans, ({ type }) => type);
}

function fillTags(
  wordCount: number,
  spans: readonly TagSpan[],
  tagOf: (span: TagSpan, index: number) => string,
): string[] {
  const tags = new Array<string>(wordCount).fill("O");
  for (const span of spans) {
    for (let index = span.first; index <= span.last; index++) tags[index] = tagOf(span, index);
  }
  return tags;
}
