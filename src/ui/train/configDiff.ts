import type { AdapterRecord } from "../../storage/database.ts";
import type { Run, TrainConfig } from "../../worker/protocol.ts";
import { stageTitle } from "../models/adapterTitle.ts";
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

/** "SFT + CL → DPO": the stages that made a run's adapter, as far as those that it began with are still there. */
export function stagesText(run: Pick<Run, "stage" | "parent">, adapters: readonly AdapterRecord[]): string {
  const titles = [stageTitle(run)];
  for (let parent = run.parent; parent !== null;) {
    const adapter = adapters.find(({ id }) => id === parent);
    if (adapter === undefined || titles.length > adapters.length) break;
    titles.unshift(stageTitle(adapter.training));
    parent = adapter.training?.parent ?? null;
  }
  return titles.join(" → ");
}

function shown(value: TrainConfig[keyof TrainConfig]): string {
  if (value === null) return "none";
  return typeof value === "object" ? value.map((name) => name.replace("_proj", "")).join(" ") : String(value);
}
