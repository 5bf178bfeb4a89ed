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
      /** Microseconds of CPU time. */
      tdur: v.optional(v.number()),
      args: v.optional(v.looseObject({})),
    }),
  ),
});

/** Longest task of any page's main thread while `work` runs, in milliseconds of CPU time. */
export async function longestTask(browser: Browser, page: Page, work: () => Promise<void>): Promise<number> {
  await browser.startTracing(page, { categories: ["toplevel"] });
  await work();
  const { traceEvents } = v.parse(Trace, JSON.parse((await browser.stopTracing()).toString()));
  const threadOf = ({ pid, tid }: { pid: number; tid: number }): string => `${pid} ${tid}`;
  const mainThreads = new Set(
    traceEvents.filter(({ name, args }) => name === "thread_name" && args?.["name"] === "CrRendererMain").map(threadOf),
  );
  const tasks = traceEvents.filter(
    (event) => event.ph === "X" && event.name.endsWith("RunTask") && mainThreads.has(threadOf(event)),
  );
  if (tasks.length === 0) throw new Error("expected tasks of a renderer's main thread in the trace, got none");
  return Math.max(...tasks.map(({ tdur }) => tdur ?? 0)) / 1000;
}
