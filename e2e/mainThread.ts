// How long the page's main thread works at a stretch: CPU time of each task, from Chromium's own trace. Wall time would
// count waiting for a core, which a GPU emulated on the CPU takes away.

import type { Browser, Page } from "@playwright/test";
import * as v from "valibot";

const Trace = v.object({
  traceEvents: v.array(
    v.object({
      name: v.string(),
      ph: v.string(),
      pid: v.number(),
      tid: v.number(),
      /** Microseconds. */
      ts: v.optional(v.number()),
      /** Microseconds of CPU time. */
      tdur: v.optional(v.number()),
      args: v.optional(v.looseObject({})),
    }),
  ),
});

interface Task {
  /** ms since the trace's own origin. */
  start: number;
  /** ms of CPU time. */
  cpu: number;
}

/** Tasks of all pages' main threads and of the GPU process while `work` runs, and when the page made marks of that name. */
export async function tracedTasks(
  browser: Browser,
  page: Page,
  mark: string,
  work: () => Promise<void>,
): Promise<{ tasks: Task[]; gpuTasks: Task[]; marks: number[] }> {
  await browser.startTracing(page, { categories: ["toplevel", "blink.user_timing"] });
  await work();
  const { traceEvents } = v.parse(Trace, JSON.parse((await browser.stopTracing()).toString()));
  const threadOf = ({ pid, tid }: { pid: number; tid: number }): string => `${pid} ${tid}`;
  const tasksOf = (thread: RegExp): Task[] => {
    const threads = new Set(
      traceEvents
        .filter(({ name, args }) => name === "thread_name" && thread.test(String(args?.["name"])))
        .map(threadOf),
    );
    return traceEvents
      .filter((event) => event.ph === "X" && event.name.endsWith("RunTask") && threads.has(threadOf(event)))
      .map(({ ts = NaN, tdur = 0 }) => ({ start: ts / 1000, cpu: tdur / 1000 }));
  };
  const tasks = tasksOf(/^CrRendererMain$/);
  if (tasks.length === 0) throw new Error("expected tasks of a renderer's main thread in the trace, got none");
  return {
    ...{ tasks, gpuTasks: tasksOf(/^(CrGpuMain|VizCompositorThread)$/) },
    marks: traceEvents.flatMap(({ name, ts = NaN }) => (name === mark ? [ts / 1000] : [])).sort((a, b) => a - b),
  };
}

/** Longest task of any page's main thread while `work` runs, in milliseconds of CPU time. */
export async function longestTask(browser: Browser, page: Page, work: () => Promise<void>): Promise<number> {
  const { tasks } = await tracedTasks(browser, page, "", work);
  return Math.max(...tasks.map(({ cpu }) => cpu));
}
