// Command line → values, by a verb's own declaration. node:util splits the words; what is allowed is decided here.
import { parseArgs } from "node:util";
import { KERNEL_SETTINGS } from "../gpu/kernelChoice.ts";
import { nearMiss } from "../ner/nearMiss.ts";
import { UsageError } from "./errors.ts";
import type { Flag, FlagValue, ParsedArguments, Verb } from "./verb.ts";

/** Understood by every verb. */
export const commonFlags = {
  json: { kind: "switch", help: "print exactly one JSON object" },
  "adapter-kind": {
    kind: "choice",
    choices: ["auto", "gpu", "software"],
    fallback: "auto",
    help: "which WebGPU adapter to use",
  },
  "gpu-memory": { kind: "number", value: "GB", help: "GPU memory to plan with (default: what the adapter tells)" },
  kernels: {
    kind: "choice",
    choices: KERNEL_SETTINGS,
    fallback: "auto",
    help: "which kernels compute linear layers, tiled-f16 to fewer bits (a run that goes on keeps its own)",
  },
  tune: {
    kind: "switch",
    help: "measure anew which kernels are fastest here; on a GPU that is done at first use, and kept",
  },
  debug: { kind: "switch", help: "show the stack of an error" },
  help: { kind: "switch", help: "show this help" },
} as const satisfies Record<string, Flag>;

/** Parses the words after a verb's name; throws UsageError. */
export function parseVerb(verb: Verb, words: readonly string[]): ParsedArguments {
  const flags: Readonly<Record<string, Flag>> = { ...commonFlags, ...verb.flags };
  const { given, positionals } = collect(flags, words);
  const wantsHelp = given.has("help");
  const values: Record<string, FlagValue> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const texts = given.get(name);
    if (texts === undefined && "required" in flag && !wantsHelp) {
      throw new UsageError(`expected --${name} ${valueName(flag)}, got none (${flag.help})`);
    }
    values[name] = flagValue(name, flag, texts);
  }
  return { flags: values, positionals: namePositionals(verb, positionals, wantsHelp) };
}

/** How a flag's value is shown. */
export function valueName(flag: Flag): string {
  switch (flag.kind) {
    case "switch":
      return "";
    case "choice":
      return flag.choices.join("|");
    case "text":
      return flag.multiple === true ? `${flag.value}…` : flag.value;
    case "number":
    case "integer":
      return flag.value;
  }
}

/** Every flag's raw texts, and what stands between them. */
function collect(flags: Readonly<Record<string, Flag>>, words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [
      name,
      { type: flag.kind === "switch" ? "boolean" : "string" } as const,
    ]),
  );
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  let several: string[] | null = null; // the flag that takes the words that follow
  for (const token of tokens) {
    if (token.kind === "option-terminator") {
      several = null;
    } else if (token.kind === "positional") {
      (several ?? positionals).push(token.value);
    } else {
      const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined; // --constructor is none
      if (flag === undefined || !token.rawName.startsWith("--")) {
        const known = Object.keys(flags).map((name) => `--${name}`);
        const hint = nearMiss(token.rawName, known);
        throw new UsageError(`expected a known flag, got ${token.rawName}${hint === "" ? " (see --help)" : hint}`);
      }
      const texts = given.get(token.name) ?? [];
      given.set(token.name, texts);
      several = flag.kind === "text" && flag.multiple === true ? texts : null;
      texts.push(optionText(flag, token));
      if (several === null && texts.length > 1) {
        throw new UsageError(`expected ${token.rawName} once, got it ${texts.length} times (remove all but one)`);
      }
    }
  }
  return { given, positionals };
}

/** The text of one option; a following word that looks like a flag is not taken for its value. */
function optionText(
  flag: Flag,
  token: { rawName: string; value: string | undefined; inlineValue: boolean | undefined },
): string {
  if (flag.kind === "switch") {
    if (token.value !== undefined) {
      throw new UsageError(`expected ${token.rawName} without a value, got ${token.value} (remove it)`);
    }
    return "";
  }
  const negative = (flag.kind === "number" || flag.kind === "integer") && /^-[\d.]/.test(token.value ?? "");
  if (token.value === undefined || (token.inlineValue === false && /^-./.test(token.value) && !negative)) {
    const hint = token.value === undefined ? "give one" : `write ${token.rawName}=${token.value} if that is the value`;
    throw new UsageError(
      `expected ${token.rawName} ${valueName(flag)}, got ${token.value ?? "nothing after it"} (${hint})`,
    );
  }
  return token.value;
}

function flagValue(name: string, flag: Flag, texts: readonly string[] | undefined): FlagValue {
  const text = texts?.[0];
  switch (flag.kind) {
    case "switch":
      return texts !== undefined;
    case "text":
      if (texts?.includes("") === true) {
        throw new UsageError(
          `expected --${name} ${flag.value}, got an empty text (give a name, or leave the flag out)`,
        );
      }
      return flag.multiple === true ? (texts ?? []) : text;
    case "choice":
      if (text !== undefined && !flag.choices.includes(text)) {
        const hint = nearMiss(text, flag.choices);
        throw new UsageError(`expected --${name} ${valueName(flag)}, got ${text}${hint}`);
      }
      return text ?? flag.fallback;
    case "number":
    case "integer":
      return text === undefined ? undefined : parseNumber(name, flag, text);
  }
}

function parseNumber(name: string, flag: Flag & { kind: "number" | "integer" }, text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  const { min = -Infinity, max = Infinity } = flag;
  if (
    !Number.isFinite(value) ||
    value < min ||
    value > max ||
    (flag.kind === "integer" && !Number.isSafeInteger(value))
  ) {
    const what = flag.kind === "integer" ? "a whole number" : "a number";
    const range = `${min > -Infinity ? ` from ${min}` : ""}${max < Infinity ? ` up to ${max}` : ""}`;
    throw new UsageError(`expected --${name} to be ${what}${range}, got ${text === "" ? "an empty text" : text}`);
  }
  return value;
}

function namePositionals(verb: Verb, given: readonly string[], wantsHelp: boolean): Record<string, string | undefined> {
  const entries = Object.entries(verb.positionals);
  const extra = given[entries.length];
  if (extra !== undefined && !wantsHelp) {
    const allowed =
      entries.length === 0 ? "no further words" : `only ${entries.map(([name]) => name.toUpperCase()).join(" ")}`;
    throw new UsageError(`expected ${allowed}, got a further word ${JSON.stringify(extra)} (quote a text with spaces)`);
  }
  return Object.fromEntries(
    entries.map(([name, positional], i) => {
      const value = given[i];
      if (value === undefined && positional.optional !== true && !wantsHelp) {
        throw new UsageError(`expected ${name.toUpperCase()}, got none (${positional.help})`);
      }
      if (value === "" && positional.mayBeEmpty !== true) {
        throw new UsageError(`expected ${name.toUpperCase()}, got an empty text (${positional.help})`);
      }
      return [name, value];
    }),
  );
}
