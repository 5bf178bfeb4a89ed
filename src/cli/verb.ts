// A verb of the command line is data: what it takes, one example, and what it does.
import type { Context } from "./context.ts";

interface FlagBase {
  readonly help: string;
}
/** A path or any other text; `value` is how help shows it. */
interface TextFlag extends FlagBase {
  readonly kind: "text";
  readonly value: string;
  readonly required?: true;
  /** Given several times, or with several values: --train a.txt b.txt. */
  readonly multiple?: true;
}
interface NumberFlag extends FlagBase {
  readonly kind: "number" | "integer";
  readonly value: string;
  readonly min?: number;
  readonly max?: number;
  readonly required?: true;
}
interface ChoiceFlag extends FlagBase {
  readonly kind: "choice";
  readonly choices: readonly string[];
  readonly required?: true;
  /** Taken when the flag is absent. */
  readonly fallback?: string;
}
interface SwitchFlag extends FlagBase {
  readonly kind: "switch";
}
export type Flag = TextFlag | NumberFlag | ChoiceFlag | SwitchFlag;

export interface Positional {
  readonly help: string;
  readonly optional?: true;
  /** A text rather than the name of something. */
  readonly mayBeEmpty?: true;
}

type FlagType<F extends Flag> = F extends SwitchFlag
  ? boolean
  : F extends NumberFlag
    ? number
    : F extends { readonly choices: readonly (infer C)[] }
      ? C
      : F extends { readonly multiple: true }
        ? readonly string[]
        : string;
type AlwaysThere =
  SwitchFlag | { readonly required: true } | { readonly fallback: string } | { readonly multiple: true };

/** The values of a verb's flags, by their name on the command line; absent optional flags are undefined. */
export type FlagValues<Flags extends Readonly<Record<string, Flag>>> = {
  readonly [Name in keyof Flags]: Flags[Name] extends AlwaysThere
    ? FlagType<Flags[Name]>
    : FlagType<Flags[Name]> | undefined;
};
export type PositionalValues<Positionals extends Readonly<Record<string, Positional>>> = {
  readonly [Name in keyof Positionals]: Positionals[Name] extends { readonly optional: true }
    ? string | undefined
    : string;
};

/** What a verb found: `json` is the one object of --json, `text` the same for people. */
export interface Report {
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** Other than 0: 130 where Ctrl-C cut the work short but what was done is written. */
  readonly exitCode?: number;
}

export interface VerbDefinition<
  Flags extends Readonly<Record<string, Flag>>,
  Positionals extends Readonly<Record<string, Positional>>,
> {
  /** In the order of the command line; keys are shown in capitals. */
  readonly positionals: Positionals;
  readonly flags: Flags;
  /** A command that works as printed in the project's root. */
  readonly example: string;
  run(
    values: { readonly flags: FlagValues<Flags>; readonly positionals: PositionalValues<Positionals> },
    context: Context,
  ): Promise<Report>;
}

export type FlagValue = string | number | boolean | readonly string[] | undefined;

/** A command line's values, as parse.ts finds them. */
export interface ParsedArguments {
  readonly flags: Readonly<Record<string, FlagValue>>;
  readonly positionals: Readonly<Record<string, string | undefined>>;
}

/** A verb whose flag types have been forgotten, as the dispatcher sees it. */
export interface Verb {
  readonly positionals: Readonly<Record<string, Positional>>;
  readonly flags: Readonly<Record<string, Flag>>;
  readonly example: string;
  run(values: ParsedArguments, context: Context): Promise<Report>;
}

/** Declares a verb; `run` sees each flag with its own type. */
export function defineVerb<
  const Flags extends Readonly<Record<string, Flag>>,
  const Positionals extends Readonly<Record<string, Positional>>,
>(definition: VerbDefinition<Flags, Positionals>): Verb {
  // Sound because parse.ts builds the values from this very declaration.
  return definition;
}
