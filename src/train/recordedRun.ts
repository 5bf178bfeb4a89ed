/** How an adapter was made, as run/config.json and run/environment.json beside it say: obp train's, or the studio's. */
import * as v from "valibot";
import { FRESH, type Known, type RecordedRun } from "./compareRuns.ts";
import { parseSettings } from "./parseSettings.ts";

/** What is read of run/environment.json; the two programs hash different things, so ids of one kind are compared only. */
const environmentSchema = v.object({
  model: v.optional(
    v.object({
      name: v.string(),
      sha256: v.optional(v.record(v.string(), v.string())),
      fingerprint: v.optional(v.string()),
    }),
  ),
  /** SHA-256 of files by path; of all that it learns from. */
  inputs: v.optional(v.record(v.string(), v.string())),
  data: v.optional(v.string()),
  startAdapter: v.optional(v.nullable(v.string())),
  steps: v.optional(v.number()),
});
type Environment = v.InferOutput<typeof environmentSchema>;

/** Names that are spelled out; of more files only how many they are. */
const MOST_FILES = 3;

/**
 * @param environment run/environment.json; null where it is not there
 * @param nameOf the name of the adapter whose weights have this hash, where it is known
 * @throws Error where the settings are not this version's, or a file is no JSON
 */
export function recordedRun(
  config: string,
  environment: string | null,
  run: string | null,
  nameOf: (hash: string) => string | undefined,
): RecordedRun {
  const parsed = v.safeParse(environmentSchema, environment === null ? {} : JSON.parse(environment));
  const known: Environment = parsed.success ? parsed.output : {};
  return {
    run,
    config: parseSettings(JSON.parse(config), "run/config.json"),
    model: modelOf(known),
    data: dataOf(known),
    start: startOf(known, nameOf),
    steps: known.steps ?? null,
  };
}

function modelOf({ model }: Environment): Known | null {
  if (model === undefined) return null;
  if (model.fingerprint !== undefined) return { id: model.fingerprint, label: model.name, kind: "fingerprint" };
  return { id: Object.values(model.sha256 ?? {}).join(" "), label: model.name, kind: "sha256" };
}

function dataOf({ inputs, data }: Environment): Known | null {
  if (data !== undefined) return { id: data, label: "of the studio", kind: "studio" };
  if (inputs === undefined) return null;
  const names = Object.keys(inputs).map((path) =>
    path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1),
  );
  const label = names.length > MOST_FILES ? `${names.length} files` : names.join(", ");
  return { id: Object.values(inputs).join(" "), label, kind: "files" };
}

function startOf({ startAdapter }: Environment, nameOf: (hash: string) => string | undefined): Known | null {
  if (startAdapter === undefined) return null;
  return startAdapter === null ? FRESH : { id: startAdapter, label: nameOf(startAdapter) ?? "an adapter" };
}
