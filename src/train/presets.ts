import { PAPER_SFT, type Stage, type TrainConfig } from "./config.ts";

const PAPER_SOURCE: TrainConfig = { ...PAPER_SFT, stage: "source", epochs: 1 };
const PAPER_DPO: TrainConfig = { ...PAPER_SFT, stage: "dpo", learningRate: 5e-6, epochs: 3, dropout: 0 };

/** What a stage does where nothing else is said. */
export const STAGE_DEFAULTS: Readonly<Record<Stage, TrainConfig>> = {
  source: PAPER_SOURCE,
  sft: PAPER_SFT,
  dpo: PAPER_DPO,
};

/**
 * `quick`: a first result in minutes, on a small model and a dozen sentences (of a source corpus: its first steps);
 * `paper`: the values of sections 3.3 and 4.3.
 */
export const PRESETS: Readonly<Record<Stage, Readonly<Record<"quick" | "paper", TrainConfig>>>> = {
  source: { quick: { ...PAPER_SOURCE, learningRate: 2e-3, maxSteps: 200 }, paper: PAPER_SOURCE },
  sft: {
    quick: { ...PAPER_SFT, learningRate: 2e-3, epochs: 8 },
    paper: { ...PAPER_SFT, contrastiveWeight: 0.01 },
  },
  // At the paper's rate a few dozen pairs move a small model's margins by less than can be seen.
  dpo: { quick: { ...PAPER_DPO, learningRate: 1e-4 }, paper: PAPER_DPO },
};
