// obp bench: benchmarks of the engine on this machine's adapter.
import { benchDecode } from "./benchDecode.ts";
import { benchDpo } from "./benchDpo.ts";
import { benchMatmul } from "./benchMatmul.ts";
import { type BenchRow, rowsText } from "./benchRow.ts";
import { benchTrain } from "./benchTrain.ts";
import type { Context } from "./context.ts";
import { UsageError } from "./errors.ts";
import { defineVerb } from "./verb.ts";

const BENCHMARKS = ["matmul", "train", "decode", "dpo", "tsne", "load"];

export const verb = defineVerb({
  positionals: {
    what: { help: `${BENCHMARKS.join(", ")} (now: matmul, train, decode, dpo; default matmul)`, optional: true },
  },
  flags: {
    shape: { kind: "text", value: "SHAPE", help: "llama-3.1-8b, llama-3.2-1b (matmul), a GGUF file or bundled" },
    tokens: { kind: "integer", value: "T", min: 2, help: "rows of a matmul (default 128), of a prompt (default 150)" },
    peer: { kind: "text", value: "NAME", help: "run a peer beside us (none in this version yet)" },
  },
  example: "npx obp bench matmul --shape bundled",
  async run({ flags, positionals: { what = "matmul" } }, context) {
    if (!BENCHMARKS.includes(what)) {
      throw new UsageError(`expected one of ${BENCHMARKS.join(", ")}, got ${what}`);
    }
    if (flags.peer !== undefined) {
      throw new Error(`expected no --peer, got ${flags.peer} (this version cannot run peers yet)`);
    }
    const { shape = "bundled" } = flags;
    const rows = await benchmark(what, shape, flags.tokens, context);
    return { json: { rows }, text: rowsText(rows) };
  },
});

async function benchmark(
  what: string,
  shape: string,
  tokens: number | undefined,
  context: Context,
): Promise<readonly BenchRow[]> {
  switch (what) {
    case "matmul":
      return benchMatmul(await context.gpu(), shape, tokens ?? 128, context.signal);
    case "train":
      return benchTrain(shape, tokens ?? 150, context);
    case "decode":
      return benchDecode(shape, context);
    case "dpo":
      return benchDpo(shape, context);
    default:
      throw new Error(`expected matmul, train, decode or dpo, got ${what} (this version cannot measure that yet)`);
  }
}
