// A trace in Chrome's JSON format (Trace Event Format), which ui.perfetto.dev and chrome://tracing open: steps on a track
// of the CPU, kernels on one of the GPU.
import type { KernelTime } from "../gpu/profile.ts";

/** A stretch of time on the CPU, in milliseconds; those of one track nest. */
export interface TraceSpan {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** One step and its kernels. */
export interface TracedStep extends TraceSpan {
  readonly kernels: readonly KernelTime[];
}

const PROCESS = 1;
const TRACKS = { cpu: 1, gpu: 2 };

/**
 * The two clocks begin anywhere: a step's first kernel is drawn where the step begins, so that waiting for the GPU before
 * it is not shown, while what lies between kernels is.
 */
export function traceJson(adapter: string, stages: readonly TraceSpan[], steps: readonly TracedStep[]): string {
  const origin = Math.min(...stages.map(({ start }) => start), ...steps.map(({ start }) => start));
  const microseconds = (milliseconds: number) => Math.round(milliseconds * 1e6) / 1e3;
  const event = (track: number, { name, start, end }: TraceSpan) => ({
    ...{ ph: "X", pid: PROCESS, tid: track, name },
    ...{ ts: microseconds(start - origin), dur: microseconds(end - start) },
  });
  const named = (kind: string, track: number, name: string) => ({
    ...{ ph: "M", pid: PROCESS, tid: track, name: kind },
    args: { name },
  });
  const events = [
    named("process_name", TRACKS.cpu, `obp on ${adapter}`),
    named("thread_name", TRACKS.cpu, "CPU: stages and steps"),
    named("thread_name", TRACKS.gpu, "GPU: kernels"),
    ...[...stages, ...steps].map((span) => event(TRACKS.cpu, span)),
    ...steps.flatMap(({ start, kernels }) => {
      const first = kernels[0]?.start ?? 0;
      return kernels.map((each) =>
        event(TRACKS.gpu, {
          name: each.kernel,
          start: start + each.start - first,
          // What ran for less than the clock can tell apart is still to be seen.
          end: start + Math.max(each.end, each.start + 1e-3) - first,
        }),
      );
    }),
  ];
  return JSON.stringify({ displayTimeUnit: "ms", traceEvents: events });
}
