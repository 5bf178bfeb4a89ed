import { useEffect } from "react";
import { Split } from "../components/Split.tsx";
import { useEngine, ask } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { BeforeAfter } from "../train/BeforeAfter.tsx";
import { InterruptedRun } from "../train/InterruptedRun.tsx";
import { RunStatus } from "../train/RunStatus.tsx";
import { RunsTable } from "../train/RunsTable.tsx";
import { STAGE_TITLES } from "../train/settings.ts";
import { Settings } from "../train/Settings.tsx";
import { SourceCorpora } from "../train/SourceCorpora.tsx";
import { StagePipeline } from "../train/StagePipeline.tsx";
import { startTraining } from "../train/startTraining.ts";
import { StepCharts } from "../train/StepCharts.tsx";
import { SupportSummary } from "../train/SupportSummary.tsx";
import { trainingProblems } from "../train/trainSetup.ts";
import { heldoutSet, useTrain } from "../train/trainStore.ts";
import { UnfinishedChain } from "../train/UnfinishedChain.tsx";
import { useTrainSetup } from "../train/useTrainSetup.ts";

function TrainPanel() {
  const project = useProject((state) => state.project);
  const stage = useTrain((state) => state.stage);
  const setup = useTrainSetup();
  const gpuReady = useEngine(({ gpu }) => gpu.kind === "ready");
  const job = useEngine((state) => state.job);
  const model = useEngine((state) => state.model);
  useEffect(() => void ask((client) => useTrain.getState().loadPresets(client)), []);
  if (project === null) return null;
  const problems = setup === null ? [] : trainingProblems(project, setup);
  const canStart = problems.length === 0 && setup !== null && gpuReady && job === null && model.kind === "open";
  const titles = setup?.stages.map((one) => STAGE_TITLES[one.stage]) ?? [];
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
            {stage !== "source" && <SupportSummary />}
            {stage === "source" && setup !== null && <SourceCorpora setup={setup} />}
            <Settings disabled={job?.kind === "train"} heldout={heldoutSet(project, null).length} />
          </div>
          <footer>
            {problems.map((problem) => (
              <p key={problem} className="bad">
                {problem}
              </p>
            ))}
            {problems.length === 0 && model.kind === "opening" && <p className="faint">Opening the model.</p>}
            {problems.length === 0 && titles.length > 1 && (
              <p className="faint in-turn">{titles.join(" → ")}, in turn.</p>
            )}
            <button className="primary" disabled={!canStart} onClick={() => void startTraining()}>
              Train
            </button>
          </footer>
        </section>
      }
      right={
        <section className="train-live" aria-label="Training">
          <InterruptedRun />
          <UnfinishedChain />
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
