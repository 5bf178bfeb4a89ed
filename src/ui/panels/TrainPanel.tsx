import { useEffect } from "react";
import { Split } from "../components/Split.tsx";
import { useEngine, ask } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { BeforeAfter } from "../train/BeforeAfter.tsx";
import { InterruptedRun } from "../train/InterruptedRun.tsx";
import { RunStatus } from "../train/RunStatus.tsx";
import { RunsTable } from "../train/RunsTable.tsx";
import { Settings } from "../train/Settings.tsx";
import { StagePipeline } from "../train/StagePipeline.tsx";
import { startTraining } from "../train/startTraining.ts";
import { StepCharts } from "../train/StepCharts.tsx";
import { SupportSummary } from "../train/SupportSummary.tsx";
import { currentConfig, heldoutSet, trainingProblem, useTrain } from "../train/trainStore.ts";
import { useStartAdapter } from "../train/useStartAdapter.ts";

function TrainPanel() {
  const project = useProject((state) => state.project);
  const config = useTrain(currentConfig);
  const gpuReady = useEngine(({ gpu }) => gpu.kind === "ready");
  const job = useEngine((state) => state.job);
  const parent = useStartAdapter();
  const model = useEngine((state) => state.model);
  useEffect(() => void ask(() => useTrain.getState().loadPresets()), []);
  if (project === null) return null;
  const problem = config === null ? null : trainingProblem(project, config, parent);
  const canStart = problem === null && config !== null && gpuReady && job === null && model.kind === "open";
  return (
    <Split
      name="training settings"
      side="left"
      initial={340}
      min={300}
      max={480}
      left={
        <section className="train-setup" aria-label="Training setup">
          <div className="train-setup-scroll">
            <StagePipeline disabled={job?.kind === "train"} />
            <SupportSummary />
            <Settings disabled={job?.kind === "train"} heldout={heldoutSet(project, null).length} />
          </div>
          <footer>
            {problem !== null && <p className="bad">{problem}</p>}
            {problem === null && model.kind === "opening" && <p className="faint">Opening the model.</p>}
            <button className="primary" disabled={!canStart} onClick={() => void startTraining()}>
              Train
            </button>
          </footer>
        </section>
      }
      right={
        <section className="train-live" aria-label="Training">
          <InterruptedRun />
          <RunStatus />
          <StepCharts />
          <RunsTable />
          <BeforeAfter />
        </section>
      }
    />
  );
}

export const trainPanel = { id: "train", title: "Train", Component: TrainPanel } as const;
