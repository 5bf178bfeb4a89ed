/** Checks an analytic gradient by central finite differences in f64, for tests. */
import { expectClose } from "../gpu/expectClose.ts";

/** Step of the differences: truncation error (1e-10) and cancellation (1e-11) balance near it for values around 1. */
const STEP = 1e-5;
/** Leaves two digits to functions with large third derivatives; a wrong term in a gradient is off by far more. */
const TOLERANCE = 1e-7;

/**
 * Throws unless `gradient` is d/dx Σ cotangent·f(x). The cotangent must be random: a sum of all outputs, for one, has
 * no gradient through a softmax at all.
 * @param f reads x, which is put back after each difference; returns the outputs flat
 */
export function expectGradient(
  label: string,
  f: () => Float64Array,
  x: Float64Array,
  cotangent: Float64Array,
  gradient: Float64Array,
): void {
  const objective = (): number => {
    const y = f();
    if (y.length !== cotangent.length) {
      throw new Error(`${label}: expected a cotangent of ${y.length} values, got ${cotangent.length}`);
    }
    return y.reduce((sum, value, index) => sum + value * (cotangent[index] ?? NaN), 0);
  };
  const differences = x.map((value, index) => {
    x[index] = value + STEP;
    const above = objective();
    x[index] = value - STEP;
    const below = objective();
    x[index] = value;
    return (above - below) / (2 * STEP);
  });
  expectClose(gradient, differences, {
    label: `gradient of ${label}, against finite differences,`,
    shape: [x.length],
    tolerance: TOLERANCE,
  });
}
