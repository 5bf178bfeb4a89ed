import { describe, expect, it } from "vitest";
import { JobRunner } from "./jobRunner.ts";
import type { StudioEvent } from "./protocol.ts";

const start = { job: "train", name: "run", adapter: "a", config: null } as const;

function recorder(lost: string | null = null) {
  const events: StudioEvent[] = [];
  let ended = (): void => undefined;
  const end = new Promise<void>((resolve) => (ended = resolve));
  const runner = new JobRunner(
    (event) => {
      events.push(event);
      if (event.kind === "done") ended();
    },
    () => lost,
  );
  return { events, runner, end };
}

describe("JobRunner", () => {
  it("tells start and end, and is free again", async () => {
    const { events, runner, end } = recorder();
    runner.start(start, () => Promise.resolve({ steps: 3, adapter: "a" }));
    expect(() => runner.start(start, () => Promise.resolve({ steps: 0, adapter: null }))).toThrow(
      "no job to be running",
    );
    await end;
    expect(events.map(({ kind }) => kind)).toEqual(["started", "done"]);
    expect(events[1]).toMatchObject({ outcome: { status: "finished", steps: 3, adapter: "a" } });
    expect(runner.isRunning).toBe(false);
  });

  it("names an error, and tells a stop from it", async () => {
    const failing = recorder();
    failing.runner.start(start, () => Promise.reject(new Error("expected x, got y")));
    await failing.end;
    expect(failing.events[1]).toEqual({ kind: "error", message: "expected x, got y" });
    expect(failing.events[2]).toMatchObject({ outcome: { status: "failed", message: "expected x, got y" } });

    const stopped = recorder();
    stopped.runner.start(start, async ({ signal }) => {
      await Promise.resolve();
      signal.throwIfAborted();
      return { steps: 1, adapter: null };
    });
    stopped.runner.stop();
    await stopped.end;
    expect(stopped.events[1]).toMatchObject({ kind: "done", outcome: { status: "stopped", message: null } });
  });

  it("blames a lost device, whatever the error that followed", async () => {
    const { events, runner, end } = recorder("The GPU stopped answering.");
    runner.start(start, () => Promise.reject(new Error("buffer is destroyed")));
    await end;
    expect(events).toHaveLength(2);
    expect(events[1]).toMatchObject({ outcome: { status: "failed", message: "The GPU stopped answering." } });
  });
});
