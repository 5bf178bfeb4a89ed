// Runs one job at a time and tells how it began and ended.

import { JobControl } from "./jobControl.ts";
import type { JobKind, JobOutcome, StudioEvent, TrainConfig } from "./protocol.ts";

export interface JobStart {
  job: JobKind;
  name: string;
  adapter: string | null;
  config: TrainConfig | null;
}

export class JobRunner {
  readonly #emit: (event: StudioEvent) => void;
  /** Why the device is gone, or null: a job that fails then was not at fault. */
  readonly #lost: () => string | null;
  #current: JobControl | null = null;

  constructor(emit: (event: StudioEvent) => void, lost: () => string | null) {
    this.#emit = emit;
    this.#lost = lost;
  }

  get isRunning(): boolean {
    return this.#current !== null;
  }

  pause(): void {
    this.#current?.pause();
  }

  resume(): void {
    this.#current?.resume();
  }

  stop(): void {
    this.#current?.stop();
  }

  /** Returns at once; the outcome arrives as `done`. @throws where a job is running */
  start(start: JobStart, run: (control: JobControl) => Promise<Pick<JobOutcome, "steps" | "adapter">>): void {
    if (this.#current !== null) throw new Error("expected no job to be running, got one (wait for it, or stop it)");
    const control = new JobControl();
    this.#current = control;
    this.#emit({ kind: "started", ...start });
    const began = performance.now();
    const finish = (outcome: Omit<JobOutcome, "job" | "seconds">): void => {
      this.#current = null;
      this.#emit({
        kind: "done",
        outcome: { job: start.job, seconds: (performance.now() - began) / 1000, ...outcome },
      });
    };
    run(control).then(
      (result) => finish({ status: control.isStopped() ? "stopped" : "finished", message: null, ...result }),
      (error: unknown) => finish({ ...this.#failure(control, error), steps: 0, adapter: null }),
    );
  }

  #failure(control: JobControl, error: unknown): Pick<JobOutcome, "status" | "message"> {
    const lost = this.#lost();
    if (lost !== null) return { status: "failed", message: lost };
    if (control.isStopped()) return { status: "stopped", message: null };
    const message = error instanceof Error ? error.message : String(error);
    this.#emit({ kind: "error", message });
    return { status: "failed", message };
  }
}
