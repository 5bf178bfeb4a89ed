// obp score: log-probability of each completion.
import { scoreExamples } from "../train/score.ts";
import { adapterFlag, readAdapter } from "./adapterFolder.ts";
import { loadModel, openWithTokenizer } from "./loadModel.ts";
import { modelFlag } from "./openModel.ts";
import { readPairs } from "./pairsFile.ts";
import { defineVerb } from "./verb.ts";

export const verb = defineVerb({
  positionals: {},
  flags: {
    model: modelFlag,
    adapter: adapterFlag,
    in: { kind: "text", value: "PAIRS.jsonl", required: true, help: `{"prompt","completion"}, one a line` },
  },
  example: "npx obp score --model bundled --in public/samples/pairs.jsonl",
  async run({ flags }, context) {
    const model = await openWithTokenizer(flags.model);
    const examples = readPairs(flags.in, model.tokenizer, model.config.contextLength);
    const adapter = flags.adapter === undefined ? null : readAdapter(flags.adapter);
    const { llama, lora } = await loadModel(model, adapter?.weights ?? null, context);
    const progress = context.progress("scoring", examples.length, "pairs");
    const scores = await scoreExamples(llama, lora, examples, {
      signal: context.signal,
      onProgress: (done) => progress.update(done),
    });
    progress.finish();
    const results = scores.map(({ logprob, tokenLogprobs }, i) => {
      const { name = "", ids = [], responseStart = 0 } = examples[i] ?? {};
      if (!Number.isFinite(logprob)) {
        throw new Error(
          `expected a finite log-probability of ${name}, got ${logprob} (the adapter's scale is too large?)`,
        );
      }
      return { logprob, tokens: ids.slice(responseStart), tokenLogprobs };
    });
    return {
      json: { results },
      text: results.map(({ logprob, tokens }) => `${logprob.toFixed(4)}  over ${tokens.length} tokens`).join("\n"),
    };
  },
});
