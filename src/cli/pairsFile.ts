// Files of pairs (TRL's columns), one JSON object a line: {"prompt","completion"} or {"prompt","chosen","rejected"}.
import { BOUNDARY_EDITS } from "../ner/boundaryEdits.ts";
import type { PromptTokenizer } from "../ner/prompt.ts";
import { encodePair } from "../train/encodePairs.ts";
import type { TrainExample } from "../train/examples.ts";
import type { Preference, PreferenceKind } from "../train/preferences.ts";
import { nearMiss } from "../ner/nearMiss.ts";
import { inFile, readText } from "./readFile.ts";

/** What the "kind" of a pair may be, in the order in which they are made and counted. */
export const PREFERENCE_KINDS: readonly PreferenceKind[] = [...BOUNDARY_EDITS, "feedback"];

/**
 * Reads {"prompt","completion"} lines as token ids.
 * @throws Error naming the first line that is broken or longer than the context
 */
export function readPairs(path: string, tokenizer: PromptTokenizer, contextLength: number): TrainExample[] {
  return readLines(path, `{"prompt","completion"}`, ({ where, columns }) => {
    const [prompt = "", completion = ""] = textColumns(columns, ["prompt", "completion"], where);
    return encodePair(tokenizer, contextLength, where, prompt, completion);
  });
}

/**
 * Reads {"prompt","chosen","rejected"} lines, each named by its place. A line may say its "kind"; one that does not is a
 * response that someone gave and that was refused, which is feedback. Other columns are passed over.
 * @throws Error naming the first line that is broken or whose two responses are the same
 */
export function readPreferences(path: string): Preference[] {
  return readLines(path, `{"prompt","chosen","rejected"}`, ({ where, columns }) => {
    const [prompt = "", chosen = "", rejected = ""] = textColumns(columns, ["prompt", "chosen", "rejected"], where);
    if (chosen === rejected) {
      throw new Error(
        `expected a rejected response other than the chosen one on ${where}, got ${excerpt(chosen)} twice (remove the line: it prefers nothing)`,
      );
    }
    return { name: where, prompt, chosen, rejected, kind: kindOf(columns["kind"], where) };
  });
}

interface PairLine {
  /** "line 3 of pairs.jsonl". */
  readonly where: string;
  readonly columns: Readonly<Record<string, unknown>>;
}

/** Reads each line that is not blank. @param shape says in messages what a line is expected to be */
function readLines<T>(path: string, shape: string, read: (line: PairLine) => T): T[] {
  const values: T[] = [];
  for (const [index, line] of inFile(path, () => readText(path))
    .split("\n")
    .entries()) {
    if (line.trim() !== "") {
      const where = `line ${index + 1} of ${path}`;
      values.push(read({ where, columns: parseLine(line, where) }));
    }
  }
  if (values.length === 0) {
    throw new Error(`expected pairs ${shape} in ${path}, got none`);
  }
  return values;
}

function parseLine(line: string, where: string): PairLine["columns"] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new Error(
      `expected a JSON object on ${where}, got ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`expected a JSON object on ${where}, got ${excerpt(value)}`);
  }
  if ("completion" in value && ("chosen" in value || "rejected" in value)) {
    throw new Error(
      `expected "completion", or "chosen" and "rejected", on ${where}, got both (one pair cannot be of both kinds)`,
    );
  }
  return value as PairLine["columns"];
}

/** The columns of these names, each a text. */
function textColumns(columns: PairLine["columns"], names: readonly string[], where: string): string[] {
  const quoted = names.map((name) => `"${name}"`);
  const expected = `expected the texts ${quoted.slice(0, -1).join(", ")} and ${quoted.at(-1)} on ${where}`;
  return names.map((name) => {
    const value = columns[name];
    if (typeof value === "string") {
      return value;
    }
    if (!(name in columns)) {
      throw new Error(`${expected}, got ${excerpt(columns)} (it has no "${name}")`);
    }
    const hint = Array.isArray(value) ? " (plain texts, not lists of messages)" : "";
    throw new Error(`${expected}, got ${excerpt(value)} as "${name}"${hint}`);
  });
}

function kindOf(value: unknown, where: string): PreferenceKind {
  if (value === undefined) {
    return "feedback";
  }
  const kind = PREFERENCE_KINDS.find((known) => known === value);
  if (kind === undefined) {
    const hint =
      nearMiss(typeof value === "string" ? value : "", PREFERENCE_KINDS) || ` (known: ${PREFERENCE_KINDS.join(", ")})`;
    throw new Error(`expected a known "kind" on ${where}, got ${excerpt(value)}${hint}`);
  }
  return kind;
}

/** The beginning of a value as JSON. */
function excerpt(value: unknown): string {
  return JSON.stringify(value).slice(0, 80);
}
