// How long frames take while something moves: intervals as the page sees them, and what its main thread works in each.

import type { Browser, Page } from "@playwright/test";
import { tracedTasks } from "./mainThread.ts";

const MARK = "obp: frame";

export interface Frames {
  /** Between two frames, ms of wall time: with a compositor on the CPU this depends on what else the machine does. */
  median: number;
  p95: number;
  /** The main thread's work in a frame, ms of CPU time: 95 % of frames, and the longest task of all. */
  own95: number;
  longest: number;
  /** What the GPU process works for a frame on average, ms of CPU time. */
  gpu: number;
}

/** @param work runs in the page once a frame, and may use nothing from outside itself */
export async function frames(browser: Browser, page: Page, work: (i: number) => void, count = 60): Promise<Frames> {
  const source = `(async () => {
    const work = ${work.toString()};
    const next = () => new Promise((done) => requestAnimationFrame((now) => { performance.mark(${JSON.stringify(MARK)}); done(now); }));
    const times = [];
    let last = await next();
    for (let i = 0; i < ${count}; i++) {
      work(i);
      const now = await next();
      times.push(now - last);
      last = now;
    }
    return times;
  })()`;
  let times: number[] = [];
  const { tasks, gpuTasks, marks } = await tracedTasks(browser, page, MARK, async () => {
    times = await page.evaluate<number[]>(source);
  });
  // A frame's mark stands inside the task that draws it: that task begins before its mark and behind the last one.
  const works = marks.slice(1).map((end, i) => {
    const own = tasks.filter(({ start }) => start > (marks[i] ?? NaN) && start <= end);
    return own.reduce((sum, { cpu }) => sum + cpu, 0);
  });
  const [first = NaN, last = NaN] = [marks[0], marks.at(-1)];
  const drawn = gpuTasks.filter(({ start }) => start >= first && start <= last);
  const at = (values: readonly number[], share: number): number =>
    values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? NaN;
  return {
    ...{ median: at(times, 0.5), p95: at(times, 0.95), own95: at(works, 0.95) },
    longest: Math.max(...tasks.map(({ cpu }) => cpu)),
    gpu: drawn.reduce((sum, { cpu }) => sum + cpu, 0) / works.length,
  };
}
