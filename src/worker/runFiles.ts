// How an adapter was made, as the folder run/ beside it: the files that obp train writes (src/cli/trainRun.ts).

import type { RunRecord } from "../storage/database.ts";

/** Text by path. */
export function runFiles(run: RunRecord): ReadonlyMap<string, string> {
  const { config, model, modelName, parent, environment, logs, scores, alarms, seconds } = run;
  const facts = {
    ...(environment ?? {}),
    model: { name: modelName, fingerprint: model },
    startAdapter: parent,
    ...{ steps: logs.length, totalSteps: run.totalSteps, seconds, alarms },
    started: new Date(run.startedAt).toISOString(),
  };
  return new Map([
    ["run/config.json", json(config)],
    ["run/environment.json", json(facts)],
    ["run/log.jsonl", lines(logs)],
    ...(scores.length === 0 ? [] : ([["run/evals.jsonl", lines(scores)]] as const)),
  ]);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}
