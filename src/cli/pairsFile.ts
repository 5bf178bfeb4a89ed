// Prompt and completion pairs (TRL's columns), one JSON object a line.
import type { PromptTokenizer } from "../ner/prompt.ts";
import type { TrainExample } from "../train/examples.ts";
import { inFile, readText } from "./readFile.ts";

/**
 * Reads {"prompt","completion"} lines as token ids. Ids are built once over prompt + completion, so that tokens cannot
 * differ at the seam; the completion begins at the first token that holds a character of it, and the end token follows.
 * @throws Error naming the first line that is broken or longer than the context
 */
export function readPairs(path: string, tokenizer: PromptTokenizer, contextLength: number): TrainExample[] {
  const examples: TrainExample[] = [];
  for (const [index, line] of inFile(path, () => readText(path))
    .split("\n")
    .entries()) {
    if (line.trim() === "") {
      continue;
    }
    const where = `line ${index + 1} of ${path}`;
    const { prompt, completion } = parsePair(line, where);
    const { ids, offsets } = tokenizer.encode(prompt + completion);
    const found = offsets.findIndex(([, end]) => end > prompt.length);
    const start = found < 0 ? ids.length : found;
    const bos = tokenizer.addBos && tokenizer.bosTokenId !== null ? [tokenizer.bosTokenId] : [];
    const example = {
      name: where,
      ids: [...bos, ...ids, tokenizer.eosTokenId],
      responseStart: bos.length + start,
    };
    if (example.responseStart < 1) {
      throw new Error(
        `expected a prompt with a token of its own on ${where}, got ${JSON.stringify(prompt)} (nothing comes before the completion's first token, so it has no probability)`,
      );
    }
    if (example.ids.length > contextLength) {
      throw new Error(
        `expected at most ${contextLength} tokens, the model's context, on ${where}, got ${example.ids.length} (shorten or remove it)`,
      );
    }
    examples.push(example);
  }
  if (examples.length === 0) {
    throw new Error(`expected pairs {"prompt","completion"} in ${path}, got none`);
  }
  return examples;
}

function parsePair(line: string, where: string): { prompt: string; completion: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new Error(
      `expected a JSON object on ${where}, got ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
  const { prompt, completion } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof prompt !== "string" || typeof completion !== "string") {
    throw new Error(`expected the texts "prompt" and "completion" on ${where}, got ${line.slice(0, 80)}`);
  }
  return { prompt, completion };
}
