/** Finds the fastest of several ways to compute the same on the device that will run it, within a bounded time. */
import { expectClose } from "./expectClose.ts";

export interface Candidate {
  readonly name: string;
  /** Compiles, or joins what compiles already; one that cannot be compiled is left out. */
  prepare(): Promise<void>;
  /** Computes so many times, and resolves when the device has done so. */
  run(times: number): Promise<void>;
  /** What the last `run` gave, or enough of it to know a wrong one. */
  result(): Promise<Float32Array>;
}

export interface TuningLimits {
  /** By performance.now(): nothing begins after it, so that all is over two runs later at most. */
  readonly end: number;
  /** Shares of the time left until `end`, 0 to 1: of compiling, and then of measuring. */
  readonly compiling: number;
  readonly measuring: number;
  /** Measurements of a candidate at most. */
  readonly rounds: number;
  /** How far results may be from the first's, as expectClose takes it: one that is farther never wins. */
  readonly tolerance: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Tuned {
  /** Index of the fastest; null where time ran out before the first was measured, and another one to compare it with. */
  readonly winner: number | null;
  /** Median milliseconds of one computation, null where there is none: wrong, not compiled, or out of time. */
  readonly milliseconds: readonly (number | null)[];
}

/** A measurement lasts for so many milliseconds at least: waiting for the device may take one of them. */
const LEAST_MS = 5;
const MOST_TIMES = 64;
/** After so many milliseconds of measuring no further round begins. */
const ENOUGH_MS = 2000;
/** One that is so many times slower than the best is not measured again. */
const HOPELESS = 3;

interface Trial {
  readonly candidate: Candidate;
  /** Milliseconds of one computation, each. */
  readonly times: number[];
  state: "waiting" | "failed" | "sound" | "hopeless";
}

/**
 * All compile at a time; those that have done so in time are measured in turns, so that a change of the device's clock
 * meets all alike. The first wins ties.
 * @throws Error where the first does not compile or run, which is what runs without tuning; the signal's reason
 */
export async function fastest(candidates: readonly Candidate[], limits: TuningLimits): Promise<Tuned> {
  const trials = candidates.map((candidate): Trial => ({ candidate, times: [], state: "waiting" }));
  const compiled = await compile(trials, limits);
  if (compiled[0] === trials[0]) {
    const began = performance.now();
    const shared = began + (limits.end - began) * limits.measuring;
    const times = await runOnce(compiled, shared, limits);
    const enough = Math.min(shared, performance.now() + ENOUGH_MS);
    const sound = compiled.filter(({ state }) => state === "sound");
    for (let round = 0; round < limits.rounds; round++) {
      // The first round is for all, since they are compared.
      await measure(sound, times, round === 0 ? limits.end : enough, limits.signal);
    }
  }
  return outcome(trials);
}

/** Those that compile within their share of the time, in order; a later one is not waited for. */
async function compile(trials: readonly Trial[], { end, compiling, signal }: TuningLimits): Promise<Trial[]> {
  const compiled = new Set<Trial>();
  const all = trials.map(async (trial, index) => {
    try {
      await trial.candidate.prepare();
      compiled.add(trial);
    } catch (error) {
      trial.state = "failed";
      if (index === 0) throw error;
    }
  });
  const over = timeout((end - performance.now()) * compiling, signal);
  try {
    await Promise.race([Promise.all(all), over.promise]);
  } finally {
    over.clear();
  }
  signal?.throwIfAborted();
  return trials.filter((trial) => compiled.has(trial));
}

/**
 * The first run of each, which touches its memory, says whether it gives what the first one gives, and finds hopeless ones.
 * @returns how often one is to compute in a measurement
 */
async function runOnce(compiled: readonly Trial[], shared: number, limits: TuningLimits): Promise<number> {
  let expected: Float32Array | null = null;
  let best = Infinity;
  for (const trial of compiled) {
    limits.signal?.throwIfAborted();
    if (performance.now() > shared && best < Infinity) break;
    const { name } = trial.candidate;
    try {
      await trial.candidate.run(1);
      const result = await trial.candidate.result();
      expected ??= result;
      expectClose(result, expected, { label: name, shape: [expected.length], tolerance: limits.tolerance });
    } catch (error) {
      if (expected === null) throw error;
      trial.state = "failed";
      continue;
    }
    const milliseconds = await timed(trial, 1);
    trial.state = milliseconds > HOPELESS * best ? "hopeless" : "sound";
    if (trial.state === "hopeless") trial.times.push(milliseconds);
    best = Math.min(best, milliseconds);
  }
  return Math.min(MOST_TIMES, Math.max(1, Math.ceil(LEAST_MS / best)));
}

async function measure(trials: readonly Trial[], times: number, end: number, signal?: AbortSignal): Promise<void> {
  for (const trial of trials) {
    signal?.throwIfAborted();
    if (performance.now() > end) return;
    trial.times.push((await timed(trial, times)) / times);
  }
}

async function timed({ candidate }: Trial, times: number): Promise<number> {
  const began = performance.now();
  await candidate.run(times);
  return performance.now() - began;
}

function outcome(trials: readonly Trial[]): Tuned {
  const milliseconds = trials.map(({ times }) => median(times));
  const measured = milliseconds.filter((time) => time !== null);
  const compared = measured.length > 1 || trials.every(({ state }, index) => index === 0 || state === "failed");
  if (milliseconds[0] == null || !compared) return { winner: null, milliseconds };
  return { winner: milliseconds.indexOf(Math.min(...measured)), milliseconds };
}

function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}

/** Resolves after so many milliseconds, or when stopped. */
function timeout(milliseconds: number, signal?: AbortSignal): { promise: Promise<void>; clear(): void } {
  let finish = (): void => undefined;
  const promise = new Promise<void>((resolve) => (finish = resolve));
  const timer = setTimeout(finish, Math.max(0, milliseconds));
  signal?.addEventListener("abort", finish);
  return {
    promise,
    clear: () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
    },
  };
}
