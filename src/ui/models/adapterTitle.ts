import type { TrainedStage } from "../../storage/database.ts";

const STAGES: Record<TrainedStage, string> = { source: "Source", sft: "SFT", "sft+cl": "SFT + CL", dpo: "DPO" };

interface Made {
  /** Or the run itself. */
  training: { stage: TrainedStage } | null;
  name: string;
}

export function stageTitle(training: Made["training"]): string {
  return training === null ? "imported" : STAGES[training.stage];
}

/** "SFT + CL: Kitchen notes 3": which stage made it, and its name. */
export function adapterTitle({ name, training }: Made): string {
  return training === null ? name : `${stageTitle(training)}: ${name}`;
}
