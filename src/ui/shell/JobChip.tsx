import type { JobKind } from "../../worker/protocol.ts";
import { Icon } from "../components/Icon.tsx";
import { formatBytes, formatCount, formatRate, formatSeconds } from "../format.ts";
import { stageTitle } from "../models/adapterTitle.ts";
import type { PanelId } from "../panelIds.ts";
import { ask, useEngine, type Job } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";

const SHOWN_IN: Readonly<Record<Exclude<JobKind, "tune">, PanelId>> = {
  train: "train",
  measure: "train",
  corpus: "train",
  predict: "evaluate",
  suggest: "label",
  inspect: "inspect",
};

/** The running job, visible from everywhere: it goes on while the user works elsewhere. */
export function JobChip() {
  const job = useEngine((state) => state.job);
  const lastLog = useEngine((state) => state.stepLogs.at(-1));
  const run = useEngine(({ runs, trainedAdapter }) => runs.find(({ id }) => id === trainedAdapter));
  if (job === null) return null;
  const training = job.kind === "train" && lastLog !== undefined;
  const phase = job.phase === "training" && run !== undefined ? stageTitle(run) : job.phase;
  return (
    <div className="chip job" role="status" aria-label="Job">
      <button className="quiet small" onClick={() => show(job.kind)}>
        <span className={job.phase === "paused" ? "dot paused" : "dot running"} />
        <span className="ellipsis">{job.pending ?? phase ?? "starting"}</span>
        <JobProgress job={job} />
      </button>
      {training && (
        <span className="number">
          step {lastLog.step}/{job.totalSteps} · loss {lastLog.loss.toFixed(3)} · {formatRate(job.tokensPerSecond)}{" "}
          tok/s · {formatSeconds(job.etaSeconds)} left
        </span>
      )}
      <JobButtons job={job} />
    </div>
  );
}

function show(kind: JobKind): void {
  const view = useView.getState();
  if (kind === "tune") view.setOverlay("gpu");
  else view.goTo(SHOWN_IN[kind]);
}

export function JobButtons({ job }: { job: Job }) {
  const paused = job.phase === "paused";
  return (
    <span className="row">
      {job.kind === "train" && (
        <button
          className="quiet icon small"
          title={paused ? "Go on" : "Pause after this step"}
          aria-label={paused ? "Go on" : "Pause"}
          disabled={job.pending !== null}
          onClick={() => {
            if (!paused) useEngine.setState({ job: { ...job, pending: "pausing" } });
            void ask((client) => (paused ? client.resume() : client.pause()));
          }}
        >
          <Icon name={paused ? "play" : "pause"} />
        </button>
      )}
      <button
        className="quiet icon small"
        title={job.kind === "train" ? "Stop and keep the best that was learned" : "Stop"}
        aria-label="Stop"
        disabled={job.pending === "stopping"}
        onClick={() => {
          useEngine.setState({ job: { ...job, pending: "stopping" } });
          void ask((client) => client.stop());
        }}
      >
        <Icon name="stop" />
      </button>
    </span>
  );
}

export function JobProgress({ job: { progress } }: { job: Job }) {
  if (progress === null) return null;
  const { done, total, unit, etaSeconds } = progress;
  return (
    <span className="number faint">
      {unit === "bytes"
        ? `${formatBytes(done)} of ${formatBytes(total)}`
        : `${formatCount(done)}/${formatCount(total)}`}
      {etaSeconds !== null && etaSeconds >= 1 && ` · ${formatSeconds(etaSeconds)} left`}
    </span>
  );
}
