import { useEffect, useRef, useState } from "react";
import type { Run } from "../../worker/protocol.ts";
import { DataTable } from "../components/DataTable.tsx";
import { Icon } from "../components/Icon.tsx";
import { bestScore } from "../../ner/heldoutScores.ts";
import { formatPercent, formatSeconds } from "../format.ts";
import { ask, useEngine } from "../stores/engineStore.ts";
import { configDiff, runBefore, stagesText } from "./configDiff.ts";
import { runName } from "./startTraining.ts";
import { useTrain } from "./trainStore.ts";

/** How long a deleted run can be had back. */
const UNDO_MS = 20_000;

/** Trainings that were done here: what each changed, how it ended; overlay, rename, run again, delete. */
export function RunsTable() {
  const all = useEngine((state) => state.runs);
  const adapters = useEngine((state) => state.adapters);
  const { deleted, remove, undo } = useDeletion();
  const kept = all.filter(({ id }) => id !== deleted?.id);
  const runs = [...kept.filter(({ pinned }) => pinned), ...kept.filter(({ pinned }) => !pinned)];
  if (runs.length === 0 && deleted === null) return null;
  return (
    <section className="runs" aria-label="Runs">
      <header className="row">
        <h2 className="grow">Runs</h2>
        {deleted !== null && (
          <span role="status">
            Deleted {deleted.name}.{" "}
            <button className="small" onClick={undo}>
              Undo
            </button>
          </span>
        )}
      </header>
      {runs.length > 0 && (
        <DataTable
          label="Runs"
          rows={runs}
          columns={[
            {
              title: "Pin",
              value: ({ pinned }) => (pinned ? "pinned" : ""),
              hint: "Keep on top",
              draw: (run) => <Pin run={run} />,
            },
            { title: "Overlay", value: () => "", hint: "Draw its loss too", draw: (run) => <Overlay run={run} /> },
            { title: "Name", value: ({ name }) => name, draw: (run) => <RunName key={run.id} run={run} /> },
            {
              title: "Stages",
              value: (run) => stagesText(run, adapters),
              draw: (run) => <span className="wrapped">{stagesText(run, adapters)}</span>,
            },
            { title: "State", value: stateText, draw: (run) => <span className="wrapped">{stateText(run)}</span> },
            {
              title: "F1",
              hint: "Strict F1 on held-out sentences, of the adapter that was kept, percent",
              value: (run) => bestScore(run.scores)?.f1 ?? -1,
              draw: (run) => percent(bestScore(run.scores)?.f1),
            },
            {
              title: "BER",
              hint: "Boundary error rate: boundary errors over gold entities, of the same adapter, percent",
              value: (run) => bestScore(run.scores)?.boundaryErrorRate ?? -1,
              draw: (run) => percent(bestScore(run.scores)?.boundaryErrorRate),
            },
            {
              title: "Steps",
              value: ({ logs }) => logs.length,
              draw: ({ logs, totalSteps }) => `${logs.length}/${totalSteps}`,
            },
            {
              title: "Last loss",
              value: ({ logs }) => logs.at(-1)?.loss ?? 0,
              draw: ({ logs }) => logs.at(-1)?.loss.toFixed(4) ?? "–",
            },
            { title: "Time", value: ({ seconds }) => seconds, draw: ({ seconds }) => formatSeconds(seconds) },
            { title: "", value: () => "", draw: (run) => <RunActions run={run} remove={remove} /> },
            {
              title: "Changed",
              hint: "Settings that differ from the run of this stage before",
              value: (run) => changedText(run, all),
            },
          ]}
        />
      )}
    </section>
  );
}

/** Deletion takes effect when the time for undoing it is over, another run is deleted, or the table goes. */
function useDeletion() {
  const [deleted, setDeleted] = useState<Run | null>(null);
  const pending = useRef<{ run: Run; timer: ReturnType<typeof setTimeout> } | null>(null);
  const finish = (): void => {
    if (pending.current === null) return;
    const { run, timer } = pending.current;
    clearTimeout(timer);
    pending.current = null;
    setDeleted(null);
    void ask((client) => client.discardRun(run.id));
  };
  const undo = (): void => {
    clearTimeout(pending.current?.timer);
    pending.current = null;
    setDeleted(null);
  };
  const remove = (run: Run): void => {
    finish();
    pending.current = { run, timer: setTimeout(finish, UNDO_MS) };
    setDeleted(run);
  };
  useEffect(() => finish, []);
  return { deleted, remove, undo };
}

function stateText({ status, alarms, logs, totalSteps }: Run): string {
  const ended = status === "finished" && logs.length < totalSteps ? "finished early" : status;
  return alarms.length > 0 ? `${ended}, warned` : ended;
}

function percent(share: number | undefined): string {
  return share === undefined ? "–" : formatPercent(share);
}

function changedText(run: Run, runs: readonly Run[]): string {
  const before = runBefore(run, runs);
  if (before === undefined) return "first of its stage";
  const diff = configDiff(run.config, before.config);
  return diff.length === 0 ? "nothing" : diff.join(", ");
}

function Pin({ run: { id, name, pinned } }: { run: Run }) {
  const busy = useEngine(({ job, trainedAdapter }) => job?.kind === "train" && trainedAdapter === id);
  return (
    <button
      className="quiet icon small pin"
      aria-label={`Pin ${name}`}
      aria-pressed={pinned}
      title={pinned ? "No longer keep on top" : "Keep on top"}
      disabled={busy}
      onClick={() => void ask((client) => client.pinRun(id, !pinned))}
    >
      <Icon name="pin" />
    </button>
  );
}

function Overlay({ run: { id, name } }: { run: Run }) {
  const overlaid = useTrain((state) => state.overlaid);
  const shown = useEngine(({ trainedAdapter }) => trainedAdapter === id);
  return (
    <input
      type="checkbox"
      aria-label={`Overlay ${name}`}
      checked={shown || overlaid.includes(id)}
      disabled={shown}
      title={shown ? "On the chart" : "Draw its loss too"}
      onChange={({ target }) => {
        const others = overlaid.filter((other) => other !== id);
        useTrain.setState({ overlaid: target.checked ? [...others, id] : others });
      }}
    />
  );
}

function RunName({ run: { id, name } }: { run: Run }) {
  const busy = useEngine(({ job, trainedAdapter }) => job !== null && trainedAdapter === id);
  return (
    <input
      type="text"
      className="adapter-name"
      aria-label="Name of the run"
      disabled={busy}
      defaultValue={name}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
      }}
      onBlur={({ target }) => {
        const next = target.value.trim();
        if (next === "" || next === name) return;
        void ask((client) => client.renameRun(id, next)).then(() => useEngine.getState().refreshAdapters());
      }}
    />
  );
}

function RunActions({ run, remove }: { run: Run; remove: (run: Run) => void }) {
  const job = useEngine((state) => state.job);
  const busy = useEngine(({ trainedAdapter }) => job !== null && trainedAdapter === run.id);
  const canStart = useEngine(
    ({ gpu, model }) =>
      gpu.kind === "ready" && job === null && model.kind === "open" && model.facts.fingerprint === run.model,
  );
  return (
    <span className="row">
      {run.status === "stopped" && (
        <button
          className="quiet small"
          disabled={!canStart}
          title="Go on from where it was stopped"
          onClick={() => void ask((client) => client.continueRun(run.id))}
        >
          Resume
        </button>
      )}
      <button
        className="quiet small"
        disabled={!canStart}
        title="Train anew with the same settings, data and seed"
        onClick={() => void ask((client) => client.rerun(run.id, runName(run.name.replace(/ \d+$/, ""))))}
      >
        Run again
      </button>
      <button
        className="quiet icon small"
        aria-label={`Delete ${run.name}`}
        title="Delete the run; its adapter stays"
        disabled={busy}
        onClick={() => remove(run)}
      >
        <Icon name="cross" />
      </button>
    </span>
  );
}
