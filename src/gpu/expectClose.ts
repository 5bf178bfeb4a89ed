/** Numeric comparison for tests: says where, by how much and among which neighbours two tensors differ. */

/** What is compared, and how closely. */
export interface Closeness {
  /** Named in the message, e.g. "linear.forward y". */
  readonly label: string;
  /** Row-major shape of both tensors. */
  readonly shape: readonly number[];
  /**
   * Allowed |actual − expected| = tolerance · (|expected| + rms(expected)): rounding errors of a sum grow with the size
   * of its terms, which the tensor's rms shows and a value near zero does not. 0 asks for equality.
   */
  readonly tolerance: number;
}

/** Values printed on either side of the first difference. */
const WINDOW = 3;

/**
 * Throws unless all values agree. NaN agrees with NaN only (memory that must stay untouched is filled with it).
 * The message gives the count of differences, the worst, and a window around the first.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { label, shape, tolerance }: Closeness,
): void {
  const count = shape.reduce((product, size) => product * size, 1);
  const name = `${label} (${shape.join(", ")})`;
  if (actual.length !== count || expected.length !== count) {
    throw new Error(`${name}: expected ${count} values, got ${actual.length} to compare with ${expected.length}`);
  }
  const scale = rms(expected);
  const excess = (index: number): number => {
    const [a, e] = [actual[index] ?? NaN, expected[index] ?? NaN];
    if (Object.is(a, e) || a === e) return 0;
    const allowed = tolerance * (Math.abs(e) + scale);
    const difference = Math.abs(a - e);
    return difference <= allowed ? 0 : Number.isNaN(difference) ? Infinity : difference / allowed;
  };
  let first = -1;
  let worst = -1;
  let worstExcess = 0;
  let differences = 0;
  for (let i = 0; i < count; i++) {
    const over = excess(i);
    if (over === 0) continue;
    differences++;
    if (first < 0) first = i;
    if (over > worstExcess) [worst, worstExcess] = [i, over];
  }
  if (differences === 0) return;
  const line = (index: number): string => {
    const [a, e] = [actual[index] ?? NaN, expected[index] ?? NaN];
    const mark = excess(index) > 0 ? "≠" : "=";
    return `  [${position(index, shape).join(", ")}] expected ${e} ${mark} actual ${a} (difference ${(a - e).toExponential(2)})`;
  };
  const window = [];
  for (let i = Math.max(0, first - WINDOW); i < Math.min(count, first + WINDOW + 1); i++) window.push(line(i));
  throw new Error(
    [
      `${name}: ${differences} of ${count} values differ by more than ${tolerance}·(|expected| + rms ${scale.toPrecision(3)})`,
      "worst:",
      line(worst),
      `window around the first, [${position(first, shape).join(", ")}]:`,
      ...window,
    ].join("\n"),
  );
}

/** Root mean square of the finite values. */
function rms(values: ArrayLike<number>): number {
  let squares = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (Number.isFinite(value)) {
      squares += value * value;
      count++;
    }
  }
  return count === 0 ? 0 : Math.sqrt(squares / count);
}

function position(index: number, shape: readonly number[]): number[] {
  const at: number[] = [];
  for (const size of shape.toReversed()) {
    at.unshift(index % size);
    index = Math.floor(index / size);
  }
  return at;
}
