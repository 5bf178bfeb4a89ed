// What the charts of a run draw: the terms that its step logs have. Lines differ in dash and width, not in colour alone.

import type { Run, StepLog, TrainConfig } from "../../worker/protocol.ts";

export interface Series {
  label: string;
  /** A custom property of the style sheets. */
  color: string;
  width: number;
  /** Lengths of strokes and gaps, pixels; none: a solid line. */
  dash: readonly number[];
  /** It has values at some steps only: each is a point, and the line goes on between them. */
  sparse?: boolean;
  /** A value for each log; null where it has none. */
  values(logs: readonly StepLog[]): (number | null)[];
}

export interface Chart {
  title: string;
  /** Of the vertical axis, with its unit. */
  axis: string;
  /** Of the file that the picture is saved as. */
  file: string;
  /** Ends of the vertical axis; null: as the values are. */
  range: readonly [number | null, number | null];
  /** Drawn lower than the others. */
  small?: true;
  series: readonly Series[];
}

/** Weight of the past in the smoothed line. */
const SMOOTHING = 0.7;

const SOLID: readonly number[] = [];
const DASHED = [9, 5];
const DOTTED = [2, 4];
const DASH_DOT = [9, 4, 2, 4];

/** Another run, whose loss is drawn too. */
export type Overlay = Pick<Run, "name" | "logs">;

/**
 * The charts of a run that has logged these steps.
 * @param beta of DPO's margin, which tells the reference's part
 * @param scores of held-out sentences
 */
export function chartsOf(
  logs: readonly StepLog[],
  { beta }: Pick<TrainConfig, "beta">,
  overlays: readonly Overlay[] = [],
  scores: Run["scores"] = [],
): Chart[] {
  const last = logs.at(-1);
  const has = (term: keyof StepLog): boolean => last?.[term] !== undefined;
  const loss: Chart = {
    title: "Loss",
    axis: "loss, nats",
    file: "loss",
    range: [0, null],
    series: [
      { ...term("loss", "loss", "--text-faint", SOLID), width: 1 },
      { label: "smoothed", color: "--accent", width: 2, dash: SOLID, values: smoothed },
      ...(has("sft_loss") ? [term("SFT", "sft_loss", "--type-2", DASHED)] : []),
      ...(has("contrastive_loss") ? [term("contrastive", "contrastive_loss", "--type-1", DOTTED)] : []),
      ...(has("dpo_loss") ? [term("DPO", "dpo_loss", "--type-1", DOTTED)] : []),
      ...(has("nll_loss") ? [term("SFT on chosen", "nll_loss", "--type-2", DASHED)] : []),
      ...overlays.map(overlay),
    ],
  };
  const heldout: Chart[] = scores.length === 0 ? [] : [heldoutChart(scores)];
  const preferences = has("rewards/margins") ? preferenceCharts(beta) : [];
  return [loss, ...heldout, ...preferences, ...(last === undefined ? [] : UPDATE_CHARTS)];
}

/** What the optimizer did at each step. */
const UPDATE_CHARTS: readonly Chart[] = [
  {
    ...{ title: "Gradient norm", axis: "before clipping", file: "gradient-norm", range: [0, null], small: true },
    series: [term("gradient norm", "grad_norm", "--accent", SOLID)],
  },
  {
    ...{ title: "Learning rate", axis: "of Adam", file: "learning-rate", range: [0, null], small: true },
    series: [term("learning rate", "learning_rate", "--accent", SOLID)],
  },
];

/** @param beta of DPO's margin */
function preferenceCharts(beta: number): Chart[] {
  return [
    {
      title: "Reward margin",
      axis: "reward, nats",
      file: "rewards",
      range: [null, null],
      series: [
        term("margin", "rewards/margins", "--accent", SOLID),
        term("chosen", "rewards/chosen", "--type-2", DASHED),
        term("rejected", "rewards/rejected", "--type-1", DOTTED),
      ],
    },
    {
      title: "Pairs put right",
      axis: "share of pairs",
      file: "accuracies",
      range: [0, 1],
      series: [term("accuracy", "rewards/accuracies", "--accent", SOLID)],
    },
    {
      title: "Log-probability of answers",
      axis: "log π, nats",
      file: "logps",
      range: [null, null],
      series: [
        term("chosen", "logps/chosen", "--type-2", SOLID),
        reference("chosen, reference", "chosen", "--type-2", DASHED, beta),
        term("rejected", "logps/rejected", "--type-1", DASH_DOT),
        reference("rejected, reference", "rejected", "--type-1", DOTTED, beta),
      ],
    },
  ];
}

function heldoutChart(scores: Run["scores"]): Chart {
  const byStep = new Map(scores.map((score) => [score.step, score]));
  const line = (label: string, name: "f1" | "precision" | "recall", color: string, dash: readonly number[]): Series => {
    const values = (logs: readonly StepLog[]) => logs.map(({ step }) => byStep.get(step)?.[name] ?? null);
    return { label, color, width: name === "f1" ? 2 : 1, dash, sparse: true, values };
  };
  return {
    title: "Held-out F1",
    axis: "strict, of spans",
    file: "heldout",
    range: [0, 1],
    series: [
      line("F1", "f1", "--accent", SOLID),
      line("precision", "precision", "--type-2", DASHED),
      line("recall", "recall", "--type-1", DOTTED),
    ],
  };
}

function term(label: string, name: keyof StepLog, color: string, dash: readonly number[]): Series {
  return { label, color, width: 2, dash, values: (logs) => logs.map((log) => log[name] ?? null) };
}

function overlay({ name, logs }: Overlay, index: number): Series {
  const dash = [DASH_DOT, [14, 3], [4, 2], [1, 3]][index % 4] ?? DASH_DOT;
  return {
    label: name,
    color: `--type-${3 + (index % 5)}`,
    width: 1.5,
    dash,
    values: () => logs.map(({ loss }) => loss),
  };
}

/** What the frozen reference gave the same answers: the reward is β times the difference. */
function reference(
  label: string,
  side: "chosen" | "rejected",
  color: string,
  dash: readonly number[],
  beta: number,
): Series {
  const values = (logs: readonly StepLog[]): (number | null)[] =>
    logs.map((log) => {
      const [logp, reward] = [log[`logps/${side}`], log[`rewards/${side}`]];
      return logp === undefined || reward === undefined ? null : logp - reward / beta;
    });
  return { label, color, width: 1, dash, values };
}

function smoothed(logs: readonly StepLog[]): number[] {
  const values: number[] = [];
  for (const { loss } of logs) {
    const before = values.at(-1);
    values.push(before === undefined ? loss : SMOOTHING * before + (1 - SMOOTHING) * loss);
  }
  return values;
}

/** Columns for uPlot: the steps, from 1 on, as far as any line goes, and each line's values. */
export function dataOf({ series }: Chart, logs: readonly StepLog[]): [number[], ...(number | null)[][]] {
  const columns = series.map((line) => line.values(logs));
  const length = columns.reduce((most, column) => Math.max(most, column.length), 0);
  const steps = Array.from({ length }, (_, i) => i + 1);
  return [steps, ...columns.map((column) => steps.map((_, i) => column[i] ?? null))];
}

/** All that the steps logged, a row each; columns that no step has are left out. */
export function logsCsv(logs: readonly StepLog[]): string {
  const columns = [...new Set(logs.flatMap((log) => Object.keys(log)))] as (keyof StepLog)[];
  const rows = logs.map((log) => columns.map((column) => log[column] ?? "").join(","));
  return [columns.join(","), ...rows, ""].join("\n");
}
