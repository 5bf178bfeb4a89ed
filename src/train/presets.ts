import { PAPER_SFT, type TrainConfig } from "./config.ts";

/** `quick`: a first result in minutes, on a small model and a dozen sentences; `paper`: the values of section 4.3. */
export const PRESETS: Readonly<Record<"quick" | "paper", TrainConfig>> = {
  quick: { ...PAPER_SFT, learningRate: 2e-3, epochs: 8, checkpointing: "none" },
  paper: PAPER_SFT,
};
