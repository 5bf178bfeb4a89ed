import type { ReactNode } from "react";
import { Empty } from "../components/Empty.tsx";
import { JobButtons, JobProgress } from "../shell/JobChip.tsx";
import { useEngine } from "../stores/engineStore.ts";
import type { Look } from "./inspectStore.ts";

/** What there is to say of a look while its answer is not, or no longer, the one asked for; nothing where it is. */
export function LookStatus<T>(props: {
  look: Look<T>;
  /** Of the question on screen; null: there is none yet. */
  wanted: string | null;
  /** What the button says, and what it will show. */
  action: string;
  /** Whether a figure is on screen, of this choice or an earlier one. */
  figure: boolean;
  children: ReactNode;
  onAsk: () => void;
}) {
  const { look, wanted, action, figure, children, onAsk } = props;
  const gpu = useEngine((state) => state.gpu.kind);
  const model = useEngine((state) => state.model.kind);
  const job = useEngine((state) => state.job);
  if (wanted === null) {
    if (model === "opening") return <Empty title="Opening the model" />;
    return model === "open" ? null : <Empty title="No model is open">Open one under Models.</Empty>;
  }
  if (look.shown?.key === wanted && look.reading === null) return null;
  const failed = look.failed?.key === wanted ? look.failed : null;
  if (look.reading !== null && job !== null) {
    return (
      <div className="look-status" role="status">
        <span className="dot running" />
        <span>{job.pending ?? job.phase ?? "starting"}</span>
        <JobProgress job={job} />
        <JobButtons job={job} />
      </div>
    );
  }
  const ready = gpu === "ready" && job === null;
  const why = gpu !== "ready" ? "Needs WebGPU" : job === null ? undefined : `Waits for: ${job.name}`;
  const button = (
    <button className="primary" disabled={!ready} title={why} onClick={onAsk}>
      {failed === null ? action : "Try again"}
    </button>
  );
  if (figure) {
    return (
      <div className="look-status" role="status">
        <span className={failed?.message == null ? "soft" : "bad"}>
          {failed?.message ?? why ?? (failed === null ? "What is shown is of an earlier choice." : "Stopped.")}
        </span>
        {button}
      </div>
    );
  }
  return (
    <Empty title={failed?.message == null ? action : "It could not be read"} action={button}>
      {failed?.message ?? why ?? children}
    </Empty>
  );
}
