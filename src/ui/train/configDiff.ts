import type { Run, TrainConfig } from "../../worker/protocol.ts";
import { SETTINGS } from "./settings.ts";

const TITLES = new Map<string, string>(SETTINGS.map(({ key, title }) => [key, title]));

/** "Learning rate 0.0003 → 0.002" for each setting in which a run differs from another of its stage. */
export function configDiff(run: TrainConfig, before: TrainConfig): string[] {
  return (Object.keys(run) as (keyof TrainConfig)[])
    .filter((key) => key !== "stage" && shown(run[key]) !== shown(before[key]))
    .map((key) => `${TITLES.get(key) ?? key} ${shown(before[key])} → ${shown(run[key])}`);
}

/** The run of the same stage that came before it; undefined where it is the first. @param runs newest first */
export function runBefore(run: Run, runs: readonly Run[]): Run | undefined {
  return runs.find(({ config, startedAt }) => config.stage === run.config.stage && startedAt < run.startedAt);
}

function shown(value: TrainConfig[keyof TrainConfig]): string {
  if (value === null) return "none";
  return typeof value === "object" ? value.map((name) => name.replace("_proj", "")).join(" ") : String(value);
}
