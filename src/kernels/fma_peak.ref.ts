/** CPU twin of shaders/fma_peak.wgsl. */
import type { fmaPeak } from "./fma_peak.ts";
import type { KernelTwin } from "./twin.ts";

export const fmaPeakRef: KernelTwin<typeof fmaPeak> = ({ sums }, { count, steps, c }, { CHAINS = 4 }) => {
  for (let id = 0; id < count; id++) {
    for (let j = 0; j < 4; j++) {
      let sum = 0;
      for (let chain = 0; chain < CHAINS; chain++) {
        let x = j + chain + (id % 4);
        for (let step = 0; step < steps; step++) {
          x = x * 0.5 + c;
        }
        sum += x;
      }
      sums[4 * id + j] = sum;
    }
  }
};
