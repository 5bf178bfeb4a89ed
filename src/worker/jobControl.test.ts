import { describe, expect, it } from "vitest";
import { JobControl } from "./jobControl.ts";

describe("JobControl", () => {
  it("holds the job at the gate until it goes on", async () => {
    const control = new JobControl();
    control.pause();
    let passed = false;
    const gate = control.waitWhilePaused().then(() => (passed = true));
    await Promise.resolve();
    expect(passed).toBe(false);
    control.resume();
    await gate;
    expect(control.isPaused()).toBe(false);
  });

  it("lets a paused job through to its end when it is stopped", async () => {
    const control = new JobControl();
    control.pause();
    control.stop();
    await control.waitWhilePaused();
    expect(control.isStopped()).toBe(true);
    expect(control.signal.aborted).toBe(true);
    control.pause();
    expect(control.isPaused()).toBe(false);
  });
});
