// obp tokenize: tokens with character spans.
import { OFFSET_UNITS } from "../formats/format.ts";
import { OffsetMap } from "../formats/offsets.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { modelFlag, openModel } from "./openModel.ts";
import { defineVerb } from "./verb.ts";

export const verb = defineVerb({
  positionals: {
    text: { help: "what to tokenize, as plain text: no BOS, no end token, nothing special in it", mayBeEmpty: true },
  },
  flags: {
    model: modelFlag,
    offsets: { kind: "choice", choices: OFFSET_UNITS, fallback: "code-points", help: "what the spans count" },
  },
  example: `npx obp tokenize --model bundled -- "Melt 50 grams of butter."`,
  async run({ flags, positionals: { text } }) {
    const tokenizer = Tokenizer.fromGguf(await openModel(flags.model));
    const { ids, offsets: ranges } = tokenizer.encode(text);
    const map = new OffsetMap(text, flags.offsets);
    const offsets = ranges.map(([start, end]) => [map.toFile(start), map.toFile(end)] as const);
    const tokens = ids.map((id) => tokenizer.token(id));
    const rows = ids.map((id, i) => {
      const [start = 0, end = 0] = offsets[i] ?? [];
      return `${String(id).padStart(7)}  ${`${start}–${end}`.padEnd(11)}  ${JSON.stringify(tokens[i])}`;
    });
    return { json: { ids, tokens, offsets }, text: [...rows, `${ids.length} tokens`].join("\n") };
  },
});
