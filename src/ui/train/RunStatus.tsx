import { JobButtons, JobProgress } from "../shell/JobChip.tsx";
import { formatCount, formatRate, formatSeconds } from "../format.ts";
import { Icon } from "../components/Icon.tsx";
import { adapterTitle } from "../models/adapterTitle.ts";
import { useEngine } from "../stores/engineStore.ts";
import { LearnedNow } from "./LearnedNow.tsx";

/** The figures of the running training, or of the last one. */
export function RunStatus() {
  const job = useEngine((state) => state.job);
  const logs = useEngine((state) => state.stepLogs);
  const outcome = useEngine((state) => state.lastOutcome);
  const alarms = useEngine((state) => state.alarms);
  const last = logs.at(-1);
  const training = job?.kind === "train";
  const run = useEngine(({ runs, trainedAdapter }) => runs.find(({ id }) => id === trainedAdapter));
  const shown = run === undefined ? "" : `: ${adapterTitle({ name: run.name, training: run })}`;
  return (
    <header className="run-status">
      <div className="row run-title">
        <h1 className="grow ellipsis">
          {training ? job.name : last === undefined ? "No training yet" : `Last training${shown}`}
        </h1>
        {training && (
          <>
            <span className="soft" role="status">
              {job.pending ?? job.phase ?? "starting"} <JobProgress job={job} />
            </span>
            <JobButtons job={job} />
          </>
        )}
        {!training && outcome?.job === "train" && (
          <span className={outcome.status === "failed" ? "bad" : "soft"} role="status">
            {outcome.status === "failed"
              ? outcome.message
              : `${outcome.status} after ${formatSeconds(outcome.seconds)}`}
          </span>
        )}
      </div>
      {alarms.length > 0 && (
        <ul className="alarms" role="alert" aria-label="Warnings">
          {alarms.map((alarm) => (
            <li key={alarm}>
              <Icon name="warning" /> {alarm}
            </li>
          ))}
        </ul>
      )}
      <dl className="figures">
        <Figure
          name="Step"
          value={last === undefined ? "–" : `${last.step}${job === null ? "" : `/${job.totalSteps}`}`}
        />
        <Figure name="Epoch" value={last === undefined ? "–" : last.epoch.toFixed(2)} />
        <Figure name="Loss" value={last === undefined ? "–" : last.loss.toFixed(4)} />
        <Figure name="Gradient norm" value={last === undefined ? "–" : last.grad_norm.toFixed(3)} />
        <Figure name="Learning rate" value={last === undefined ? "–" : last.learning_rate.toExponential(1)} />
        <Figure name="Tokens" value={last === undefined ? "–" : formatCount(last.num_tokens)} />
        <Figure
          name="Tokens a second"
          value={training && job.tokensPerSecond > 0 ? formatRate(job.tokensPerSecond) : "–"}
        />
        <Figure name="Time left" value={training && last !== undefined ? formatSeconds(job.etaSeconds) : "–"} />
      </dl>
      <LearnedNow />
    </header>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="number">{value}</dd>
    </div>
  );
}
