/** Learning-rate schedule and data order: functions of the step alone, so that a resumed run goes on exactly. */
import { pcg } from "../kernels/random.ref.ts";
import { nameSeed, shuffledOrder } from "../model/random.ts";

/** Linear warm-up then linear decay to 0, as transformers' get_linear_schedule_with_warmup. `step` counts from 0. */
export function linearSchedule(step: number, totalSteps: number, warmupRatio: number, peak: number): number {
  const warmup = Math.ceil(totalSteps * warmupRatio);
  if (step < warmup) {
    return (peak * step) / Math.max(1, warmup);
  }
  return peak * Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmup));
}

/** Order of the examples in an epoch (from 0): shuffled by the seed and the epoch. */
export function epochOrder(count: number, seed: number, epoch: number): number[] {
  return shuffledOrder(count, pcg((nameSeed("data order", seed) + epoch) >>> 0));
}
