// Help texts, made from the declarations.
import { commonFlags, valueName } from "./parse.ts";
import type { Flag, Verb } from "./verb.ts";

/** Help of the whole command: one line per verb. */
export function commandHelp(
  version: string,
  verbs: readonly { readonly name: string; readonly summary: string }[],
): string {
  const width = Math.max(...verbs.map(({ name }) => name.length));
  return [
    `obp ${version}: few-shot named-entity recognition with a quantized Llama on WebGPU (OBP-LLM)`,
    "",
    "usage: obp COMMAND [FLAGS] [-- TEXT]",
    "",
    ...verbs.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "obp COMMAND --help shows a command's flags and an example.",
  ].join("\n");
}

/** Help of one verb: usage, flags, example. */
export function verbHelp(name: string, summary: string, verb: Verb): string {
  const flags = Object.entries(verb.flags).map(([flag, declaration]) => usageOf(flag, declaration));
  const positionals = Object.entries(verb.positionals).map(([key, { optional }]) =>
    optional === true ? `[${key.toUpperCase()}]` : key.toUpperCase(),
  );
  const rows = [
    ...Object.entries(verb.positionals).map(([key, { help }]) => [key.toUpperCase(), help] as const),
    ...Object.entries(verb.flags).map(([flag, declaration]) => flagRow(flag, declaration)),
  ];
  const common = Object.entries(commonFlags).map(([flag, declaration]) => flagRow(flag, declaration));
  const width = Math.min(34, Math.max(...[...rows, ...common].map(([left]) => left.length)));
  const table = (lines: readonly (readonly [string, string])[]) =>
    lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return [
    `obp ${name}: ${summary}`,
    "",
    `usage: ${["obp", name, ...positionals, ...flags].join(" ")}`,
    ...(rows.length > 0 ? ["", ...table(rows)] : []),
    "",
    "every command:",
    ...table(common),
    "",
    "example:",
    `  ${verb.example}`,
  ].join("\n");
}

function usageOf(name: string, flag: Flag): string {
  const text = `--${name} ${valueName(flag)}`.trim();
  return "required" in flag ? text : `[${text}]`;
}

function flagRow(name: string, flag: Flag): readonly [string, string] {
  const fallback = flag.kind === "choice" && flag.fallback !== undefined ? ` (default ${flag.fallback})` : "";
  return [`--${name} ${valueName(flag)}`.trim(), `${flag.help}${fallback}`];
}
