/**
 * What differs between the configurations of trainings whose adapters are shown beside each other, as captions, tables
 * and files say it. Pure.
 */
import { BEFORE_PACKING } from "./checkpoint.ts";
import type { Stage, TrainConfig } from "./config.ts";
import { STAGE_DEFAULTS } from "./presets.ts";

/** Something known by a hash or an id, with a name for people. */
export interface Known {
  readonly id: string;
  readonly label: string;
  /** What kind of hash the id is: those of two kinds say nothing of each other. */
  readonly kind?: string;
}

/** What is recorded of the training that made an adapter. */
export interface RecordedRun {
  /** Its id; null where it has none. Two states may be of one run: the best one, and that after the last step. */
  readonly run: string | null;
  readonly config: Partial<TrainConfig>;
  /** The model that it trained on, what it learned from, the adapter that it began with; null where not recorded. */
  readonly model: Known | null;
  readonly data: Known | null;
  readonly start: Known | null;
  /** Optimizer steps behind the weights. */
  readonly steps: number | null;
}

/** A state of the model: as it came, with an adapter of a recorded training, or with one of which nothing is known. */
export interface ComparedState {
  readonly name: string;
  readonly made: RecordedRun | "base" | "unknown";
}

export interface Comparison {
  /** In sentences, as captions have it: title, lines and notes. */
  readonly text: string;
  readonly title: string;
  /** "learning rate 1e-3 | 2e-3"; of a training beside the model as it came its own value alone. */
  readonly lines: readonly string[];
  /** Values in the order of the states; NONE: of the model as it came, and of a stage that does not read the setting. */
  readonly differences: readonly { readonly setting: string; readonly values: readonly string[] }[];
  /** What else there is to say: that all is the same, or what is not recorded. Sentences without their stops. */
  readonly notes: readonly string[];
  /** Of each state its part of what differs, in the order of the states. */
  readonly of: readonly string[];
}

/** A fresh adapter, as what a training began with. */
export const FRESH: Known = { id: "", label: "a fresh adapter" };

const NONE = "–";
const UNKNOWN = "?";
const DIGITS = 6;

interface Setting {
  readonly title: string;
  /** Of one run; NONE where its stage does not read it. */
  readonly of: (config: TrainConfig) => string;
  /** Said of a training that is compared with the model as it came. */
  readonly main?: true;
}

const STAGE_NAMES: Readonly<Record<Stage, string>> = { source: "source", sft: "SFT", dpo: "DPO" };
const stages =
  (...read: readonly Stage[]) =>
  (of: (config: TrainConfig) => string) =>
  (config: TrainConfig): string =>
    read.includes(config.stage) ? of(config) : NONE;
const ofDpo = stages("dpo");
const ofSource = stages("source");
const isContrastive = ({ stage, contrastiveWeight }: TrainConfig): boolean => stage !== "dpo" && contrastiveWeight > 0;
const ofContrastive =
  (of: (config: TrainConfig) => string) =>
  (config: TrainConfig): string =>
    isContrastive(config) ? of(config) : NONE;
const optional = (value: number | null): string => (value === null ? "none" : shownNumber(value));

const STAGE: Setting = { title: "stage", of: ({ stage }) => STAGE_NAMES[stage], main: true };
/** Those that decide a run's numbers or which of its adapters is kept; where memory is saved alone changes neither. */
const SETTINGS: readonly Setting[] = [
  { title: "learning rate", of: ({ learningRate }) => shownNumber(learningRate), main: true },
  { title: "epochs", of: ({ epochs }) => shownNumber(epochs), main: true },
  { title: "step limit", of: ({ maxSteps }) => optional(maxSteps) },
  { title: "batch", of: ({ gradAccumSteps }) => shownNumber(gradAccumSteps), main: true },
  { title: "rank", of: ({ rank }) => shownNumber(rank), main: true },
  { title: "alpha", of: ({ alpha }) => shownNumber(alpha), main: true },
  { title: "targets", of: ({ targets }) => targets.map((name) => name.replace("_proj", "")).join(" "), main: true },
  { title: "dropout", of: ({ dropout }) => shownNumber(dropout) },
  {
    title: "contrastive λ",
    of: (config) => (isContrastive(config) ? shownNumber(config.contrastiveWeight) : "off"),
    main: true,
  },
  {
    title: "contrastive layer",
    of: ofContrastive(({ contrastiveLayer }) => (contrastiveLayer === null ? "default" : `${contrastiveLayer}`)),
  },
  { title: "pooling", of: ofContrastive(({ contrastivePooling }) => contrastivePooling) },
  { title: "RoPE", of: ofContrastive(({ contrastiveRope }) => contrastiveRope) },
  { title: "β", of: ofDpo(({ beta }) => shownNumber(beta)), main: true },
  { title: "SFT share α", of: ofDpo(({ sftAlpha }) => shownNumber(sftAlpha)) },
  { title: "DPO-Positive λ", of: ofDpo(({ dpopLambda }) => shownNumber(dpopLambda)) },
  { title: "boundary edits", of: ofDpo(({ boundaryKinds }) => boundaryKinds.join(" ") || "none") },
  { title: "absent types", of: ofSource(({ absentShare }) => shownNumber(absentShare)) },
  { title: "longest prompt", of: ofSource(({ maxLength }) => shownNumber(maxLength)) },
  { title: "warm-up", of: ({ warmupRatio }) => shownNumber(warmupRatio) },
  { title: "weight decay", of: ({ weightDecay }) => shownNumber(weightDecay) },
  { title: "gradient clipping", of: ({ maxGradNorm }) => shownNumber(maxGradNorm) },
  { title: "tokens a pass", of: ({ packTokens }) => shownNumber(packTokens) },
  { title: "kept values", of: ({ checkpointPrecision }) => checkpointPrecision },
  { title: "scored every", of: ({ evalEvery }) => optional(evalEvery) },
  { title: "early stopping", of: ({ earlyStopping }) => optional(earlyStopping) },
];
const SEED: Setting = { title: "seed", of: ({ seed }) => `${seed}`, main: true };

/** @returns null with fewer than two states: there is nothing to compare */
export function compareStates(states: readonly ComparedState[]): Comparison | null {
  if (states.length < 2) return null;
  const runs = states.flatMap(({ made }) => (typeof made === "string" ? [] : [{ made, config: whole(made.config) }]));
  const unknown = states.filter(({ made }) => made === "unknown").map(({ name }) => name);
  const untrained = states.filter(({ made }) => made === "base").map(({ name }) => name);
  const differences = differing(runs, unknown.length > 0).map(({ setting, values: own }) => {
    let next = 0;
    const values = states.map(({ made }) => (made === "base" ? NONE : made === "unknown" ? UNKNOWN : own[next++]));
    return { setting, values: values.map((value) => value ?? UNKNOWN) };
  });
  const notes = [
    ...untrained.map((name) => `${name} is not trained`),
    ...(unknown.length === 0 ? [] : [`Configuration of ${unknown.join(" and ")} not recorded`]),
    ...(runs.length > 1 ? sameness(runs, differences) : []),
  ];
  const single = runs.length === 1 ? states.findIndex(({ made }) => typeof made !== "string") : null;
  const title = single === null ? "Configurations" : `Configuration of ${states[single]?.name}`;
  const lines = differences.map(({ setting, values }) => {
    return `${setting} ${single === null ? values.join(" | ") : (values[single] ?? UNKNOWN)}`;
  });
  const sentences = [...(lines.length === 0 ? [] : [`${title}: ${lines.join("; ")}`]), ...notes];
  const text = sentences.map((sentence) => `${sentence}.`).join(" ");
  return { text, title, lines, differences, notes, of: states.map(({ made }, i) => partOf(made, i, differences)) };
}

interface Run {
  readonly made: RecordedRun;
  readonly config: TrainConfig;
}

/** Settings that were not there when it was saved are as they were then. */
function whole(config: Partial<TrainConfig>): TrainConfig {
  return { ...STAGE_DEFAULTS[config.stage ?? "sft"], ...BEFORE_PACKING, ...config };
}

/** Of several runs what differs; of a single one what it is, unless it is beside another that nobody knows. */
function differing(runs: readonly Run[], unknown: boolean): { setting: string; values: string[] }[] {
  const [first] = runs;
  if (first === undefined || (runs.length === 1 && unknown)) return [];
  const read = ({ title, of }: Setting) => ({ setting: title, values: runs.map(({ config }) => of(config)) });
  if (runs.length === 1) {
    return [STAGE, ...SETTINGS, SEED]
      .filter(({ main }) => main === true)
      .flatMap((setting) => {
        const one = read(setting);
        return one.values[0] === NONE || one.values[0] === "off" ? [] : [one];
      });
  }
  const known = (title: string, of: (run: RecordedRun) => Known | null) => ({
    setting: title,
    values: labelsOf(runs.map(({ made }) => of(made))),
  });
  const found = [
    read(STAGE),
    known("model", ({ model }) => model),
    known("training data", ({ data }) => data),
    known("begins with", ({ start }) => start),
    ...SETTINGS.map(read),
    read(SEED),
  ].filter(({ setting, values }) => isDifference(setting, values));
  if (found.length > 0) return found;
  // A run that was stopped, or another of its states: else steps only repeat what epochs, batch and data say.
  const steps = runs.map(({ made }) => (made.steps === null ? UNKNOWN : `${made.steps}`));
  return isDifference("steps", steps) ? [{ setting: "steps", values: steps }] : [];
}

/** What only one stage reads is no difference between stages, save the weight that names the loss. */
function isDifference(setting: string, values: readonly string[]): boolean {
  const told = setting === "β" ? values : values.filter((value) => value !== NONE && value !== UNKNOWN);
  return new Set(told).size > 1;
}

/** Labels; where two that are not the same have one label, the beginnings of their ids too. */
function labelsOf(list: readonly (Known | null)[]): string[] {
  return list.map((known) => {
    if (known === null) return UNKNOWN;
    const { id, label, kind } = known;
    const another = list.some((one) => one?.label === label && one.kind === kind && one.id !== id);
    return another ? `${label} #${id.slice(0, DIGITS)}` : label;
  });
}

function sameness(runs: readonly Run[], differences: Comparison["differences"]): string[] {
  const [first] = runs;
  const oneRun =
    first !== undefined && first.made.run !== null && runs.every(({ made }) => made.run === first.made.run);
  const same = differences.every(({ setting }) => setting === "seed" || setting === "steps");
  const titles = differences.map(({ setting }) => setting);
  const missing = runs.some(({ made }) => made.data === null) ? ["Training data not recorded"] : [];
  if (!same) return missing;
  const what = oneRun ? "The same training" : titles.includes("seed") ? "Same configuration, other seed" : SAME;
  return [what, ...missing];
}

const SAME = "Same configuration and seed";

function partOf(made: ComparedState["made"], index: number, differences: Comparison["differences"]): string {
  if (made === "base") return "not trained";
  if (made === "unknown") return "not recorded";
  const own = differences.map(({ setting, values }) => `${setting} ${values[index]}`);
  return own.length === 0 ? "the same" : own.join("; ");
}

/** "3e-4", "0.05", "16": as settings are written by hand. */
function shownNumber(value: number): string {
  return value !== 0 && Math.abs(value) < 0.01 ? value.toExponential() : String(value);
}
