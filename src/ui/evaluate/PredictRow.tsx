import { formatCount, plural } from "../format.ts";
import { JobButtons, JobProgress } from "../shell/JobChip.tsx";
import { ask, useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { heldoutSet } from "../train/trainStore.ts";
import { partOf, unpredicted } from "./score.ts";
import type { ModelChoice } from "./states.ts";

/** A state that has not predicted all held-out sentences as they are now: says so, and predicts them. */
export function PredictRow({ choice: { adapter, title, record } }: { choice: ModelChoice }) {
  const project = useProject((state) => state.project);
  const job = useEngine((state) => state.job);
  const ready = useEngine(({ gpu }) => gpu.kind === "ready");
  if (project === null) return null;
  const documents = heldoutSet(project, null);
  const missing = unpredicted(documents, record);
  if (missing.length === 0) return null;
  // What was predicted for other types does not go with what is predicted now.
  const sameTypes = JSON.stringify(record?.types) === JSON.stringify(project.types);
  const asked = sameTypes ? missing : documents;
  const part = record === null ? null : partOf(documents, record);
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
        <strong>{title}</strong>{" "}
        {missing.length === documents.length
          ? "has not predicted the held-out sentences yet."
          : record?.stopped === true
            ? `has predicted ${part}.`
            : `has not predicted ${formatCount(missing.length)} of the ${formatCount(documents.length)} held-out sentences, or before they were edited.`}
      </span>
      <button
        className={missing.length === documents.length ? "primary" : ""}
        disabled={why !== undefined}
        title={why}
        onClick={() => void ask((client) => client.predict({ adapter, documents: asked, types: project.types }))}
      >
        Predict {asked.length < documents.length && "the other "}
        {plural(asked.length, "sentence")}
      </button>
    </div>
  );
}
