/** The first two principal components, by subspace iteration on the centred vectors. */
import { type ComputeOptions, Pauses } from "./pauses.ts";
import { checkFinite, type Vectors } from "./vectors.ts";

/** Directions iterated together: more than the two wanted, so that close singular values part sooner. */
const DIRECTIONS = 8;
/** It ends sooner where the variances stand. */
export const MOST_PCA_ITERATIONS = 300;
/** Relative change of the two variances below which they stand. */
const TOLERANCE = 1e-12;
/** Share of the vectors' squares below which their variance is rounding. */
const ROUNDING = 1e-24;

export interface Principal {
  /** (n, 2): centred vectors along the two components. As in scikit-learn a component's largest weight is positive. */
  readonly positions: Float64Array;
  /** Share of the variance that each explains, 0…1; 0 where all vectors are the same. */
  readonly explained: readonly [number, number];
}

/**
 * @param options progress is told in iterations, of at most MOST_PCA_ITERATIONS
 * @throws Error where a vector is not finite; the signal's reason when stopped
 */
export async function principalComponents(vectors: Vectors, options: ComputeOptions = {}): Promise<Principal> {
  checkFinite(vectors);
  const { n, d } = vectors;
  const pauses = new Pauses(options);
  const x = centred(vectors);
  if (squares(x) <= ROUNDING * squares(vectors.data)) {
    x.fill(0); // identical vectors: what is left is rounding
  }
  const variance = squares(x);
  const count = Math.min(DIRECTIONS, d, n);
  let basis = Array.from({ length: count }, (_, c) => startDirection(d, c));
  orthonormalize(basis);
  let before = [NaN, NaN];
  for (let iteration = 0; iteration < MOST_PCA_ITERATIONS; iteration++) {
    const due = (): Promise<void> => pauses.due(iteration, MOST_PCA_ITERATIONS);
    const next: Float64Array[] = [];
    for (const direction of basis) {
      next.push(scatter(x, n, d, project(x, n, d, direction)));
      await due();
    }
    orthonormalize(next);
    const projected: Float64Array[] = [];
    for (const direction of next) {
      projected.push(project(x, n, d, direction));
      await due();
    }
    basis = rotate(projected, next);
    const now = basis.slice(0, 2).map((direction) => squares(project(x, n, d, direction)));
    const still = now.every((value, c) => Math.abs(value - (before[c] ?? NaN)) <= TOLERANCE * variance);
    before = now;
    if (still) {
      break;
    }
  }
  const positions = new Float64Array(2 * n);
  const explained: [number, number] = [0, 0];
  basis.slice(0, 2).forEach((direction, c) => {
    const largest = direction.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
    const along = project(x, n, d, direction);
    along.forEach((value, i) => (positions[2 * i + c] = largest < 0 ? -value : value));
    explained[c] = variance > 0 ? squares(along) / variance : 0;
  });
  return { positions, explained };
}

function centred({ data, n, d }: Vectors): Float64Array {
  const mean = new Float64Array(d);
  const x = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) mean[k] = (mean[k] ?? NaN) + (data[i * d + k] ?? NaN) / n;
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) x[i * d + k] = (data[i * d + k] ?? NaN) - (mean[k] ?? NaN);
  }
  return x;
}

/** Fixed and without pattern, so that every run is the same. */
function startDirection(d: number, c: number): Float64Array {
  let state = 12345 + 7919 * c;
  return Float64Array.from({ length: d }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

/** x·v (n) */
function project(x: Float64Array, n: number, d: number, v: Float64Array): Float64Array {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let k = 0; k < d; k++) {
      sum += (x[i * d + k] ?? NaN) * (v[k] ?? NaN);
    }
    out[i] = sum;
  }
  return out;
}

/** xᵀ·u (d) */
function scatter(x: Float64Array, n: number, d: number, u: Float64Array): Float64Array {
  const out = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    const weight = u[i] ?? NaN;
    for (let k = 0; k < d; k++) {
      out[k] = (out[k] ?? NaN) + weight * (x[i * d + k] ?? NaN);
    }
  }
  return out;
}

function squares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += (values[i] ?? NaN) ** 2;
  }
  return sum;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, k) => sum + value * (b[k] ?? NaN), 0);
}

/** Gram–Schmidt, twice for what rounding left; directions that vanish become 0. */
function orthonormalize(basis: Float64Array[]): void {
  basis.forEach((direction, c) => {
    const original = Math.sqrt(squares(direction));
    for (let pass = 0; pass < 2; pass++) {
      for (const earlier of basis.slice(0, c)) {
        const along = dot(direction, earlier);
        direction.forEach((value, k) => (direction[k] = value - along * (earlier[k] ?? NaN)));
      }
    }
    const length = Math.sqrt(squares(direction));
    const scale = length > 1e-12 * original && length > 0 ? 1 / length : 0;
    direction.forEach((value, k) => (direction[k] = value * scale));
  });
}

/**
 * The directions inside the subspace along which its variance is largest (Rayleigh–Ritz, Jacobi's rotations).
 * @param projected the vectors along each of the basis
 */
function rotate(projected: readonly Float64Array[], basis: readonly Float64Array[]): Float64Array[] {
  const m = basis.length;
  const a = projected.map((u) => projected.map((v) => dot(u, v)));
  const turned = basis.map((direction) => direction.slice());
  const get = (i: number, j: number): number => a[i]?.[j] ?? NaN;
  for (let sweep = 0; sweep < 30; sweep++) {
    let changed = false;
    for (let i = 0; i < m; i++) {
      for (let j = i + 1; j < m; j++) {
        const [off, difference] = [get(i, j), get(j, j) - get(i, i)];
        if (Math.abs(off) <= 1e-15 * (Math.abs(get(i, i)) + Math.abs(get(j, j)))) {
          continue;
        }
        changed = true;
        const theta = difference / (2 * off);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const cos = 1 / Math.sqrt(t * t + 1);
        const sin = t * cos;
        for (let k = 0; k < m; k++) {
          turnPair(a[k] ?? [], i, j, cos, sin);
        }
        turnRows(a[i] ?? [], a[j] ?? [], cos, sin);
        turnRows(turned[i] ?? new Float64Array(), turned[j] ?? new Float64Array(), cos, sin);
      }
    }
    if (!changed) {
      break;
    }
  }
  return turned
    .map((direction, c) => ({ direction, variance: get(c, c) }))
    .sort((one, other) => other.variance - one.variance)
    .map(({ direction }) => direction);
}

function turnPair(row: number[], i: number, j: number, cos: number, sin: number): void {
  const [p, q] = [row[i] ?? NaN, row[j] ?? NaN];
  row[i] = cos * p - sin * q;
  row[j] = sin * p + cos * q;
}

function turnRows(one: number[] | Float64Array, other: number[] | Float64Array, cos: number, sin: number): void {
  for (let k = 0; k < one.length; k++) {
    const [p, q] = [one[k] ?? NaN, other[k] ?? NaN];
    one[k] = cos * p - sin * q;
    other[k] = sin * p + cos * q;
  }
}
