import { formatCount } from "../format.ts";
import { JobButtons, JobProgress } from "../shell/JobChip.tsx";
import { ask, useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { heldoutSet } from "../train/trainStore.ts";
import type { ModelChoice } from "./states.ts";

/** A state that has not predicted all held-out sentences as they are now: says so, and predicts them. */
export function PredictRow({ choice: { adapter, title, record } }: { choice: ModelChoice }) {
  const project = useProject((state) => state.project);
  const job = useEngine((state) => state.job);
  const ready = useEngine(({ gpu }) => gpu.kind === "ready");
  if (project === null) return null;
  const documents = heldoutSet(project, null);
  const texts = new Map(record?.predictions.map(({ id, text }) => [id, text]));
  const missing = documents.filter(({ id, text }) => texts.get(id) !== text).length;
  if (missing === 0) return null;
  if (job?.kind === "predict" && job.adapter === adapter) {
    return (
      <div className="predict-row" role="status">
        <span className="dot running" />
        <span className="grow">
          {title}: {job.pending ?? job.phase ?? "starting"} <JobProgress job={job} />
        </span>
        <JobButtons job={job} />
      </div>
    );
  }
  const why = ready ? (job === null ? undefined : `Waits for: ${job.name}`) : "Needs WebGPU";
  return (
    <div className="predict-row">
      <span className="grow">
        <strong>{title}</strong> has not predicted{" "}
        {missing === documents.length
          ? "the held-out sentences yet."
          : `${formatCount(missing)} of the ${formatCount(documents.length)} held-out sentences, or before they were edited.`}
      </span>
      <button
        className={missing === documents.length ? "primary" : ""}
        disabled={why !== undefined}
        title={why}
        onClick={() => void ask((client) => client.predict({ adapter, documents, types: project.types }))}
      >
        Predict {formatCount(documents.length)} sentences
      </button>
    </div>
  );
}
