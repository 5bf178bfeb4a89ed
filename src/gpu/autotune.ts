/** Finds the fastest of several ways to compute the same on the device that will run it, within a bounded time. */
import { expectClose } from "./expectClose.ts";

export interface Candidate {
  readonly name: string;
  /** Compiles; one that cannot be compiled is left out. */
  prepare(): Promise<void>;
  /** Computes, and resolves when the device has done so. */
  run(): Promise<void>;
  /** What the last `run` gave. */
  result(): Promise<Float32Array>;
}

export interface TuningLimits {
  /** Milliseconds for all candidates, compiling included; the first is prepared and checked against in any case. */
  readonly budget: number;
  /** Measurements of a candidate at most. */
  readonly rounds: number;
  /** How far results may be from the first's, as expectClose takes it: one that is farther never wins. */
  readonly tolerance: number;
}

export interface Tuned {
  /** Index of the fastest. */
  readonly winner: number;
  /** Median milliseconds of each, null where it was not measured: wrong, not to be compiled, or out of time. */
  readonly milliseconds: readonly (number | null)[];
}

/** Measures take turns, so that a change of the device's clock meets all candidates alike. The first wins ties. */
export async function fastest(candidates: readonly Candidate[], limits: TuningLimits): Promise<Tuned> {
  const end = performance.now() + limits.budget;
  const times: number[][] = candidates.map(() => []);
  const sound = await soundOnes(candidates, limits.tolerance, end);
  for (let round = 0; round < limits.rounds && performance.now() < end; round++) {
    for (const index of sound) {
      const began = performance.now();
      await candidates[index]?.run();
      times[index]?.push(performance.now() - began);
    }
  }
  const milliseconds = times.map(median);
  let winner = 0;
  milliseconds.forEach((time, index) => {
    if (time !== null && time < (milliseconds[winner] ?? Infinity)) winner = index;
  });
  return { winner, milliseconds };
}

/** Those that compile in time and give what the first gives. */
async function soundOnes(candidates: readonly Candidate[], tolerance: number, end: number): Promise<number[]> {
  const sound: number[] = [];
  let expected: Float32Array | null = null;
  for (const [index, candidate] of candidates.entries()) {
    if (expected !== null && performance.now() > end) break;
    try {
      await candidate.prepare();
      await candidate.run();
      const result = await candidate.result();
      expected ??= result;
      expectClose(result, expected, { label: candidate.name, shape: [expected.length], tolerance });
      sound.push(index);
    } catch (error) {
      if (index === 0) throw error; // what would run without tuning
    }
  }
  return sound;
}

function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}
