import type { StepLog } from "../train/trainer.ts";

/** Speed over the last steps; the first one, in which kernels are compiled, is not counted once there are others. */
export class Pace {
  readonly #steps: { milliseconds: number; tokens: number }[] = [];
  #tokens: number;

  /** @param tokens seen before the first step that is added */
  constructor(tokens: number) {
    this.#tokens = tokens;
  }

  add({ num_tokens }: StepLog, milliseconds: number): { tokensPerSecond: number; secondsPerStep: number } {
    this.#steps.push({ milliseconds, tokens: num_tokens - this.#tokens });
    this.#tokens = num_tokens;
    const counted = this.#steps.length > 1 ? this.#steps.slice(1).slice(-20) : this.#steps;
    const total = counted.reduce((sum, step) => sum + step.milliseconds, 0) / 1000;
    const tokens = counted.reduce((sum, step) => sum + step.tokens, 0);
    return { tokensPerSecond: tokens / total, secondsPerStep: total / counted.length };
  }
}
