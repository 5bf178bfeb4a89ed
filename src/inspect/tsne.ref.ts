/**
 * CPU twin of tsne.ts, plain loops in f64: exact t-SNE with the schedule of scikit-learn's exact method. Its affinities and
 * divergence also tell how good anybody's layout is. O(n²) a step.
 */
import { CHECK_EVERY, EXPLORATION, LEAST_SLOPE, MOMENTUM, rateOf, type TsneSettings } from "./tsne.ts";
import { squaredDistances, type Vectors } from "./vectors.ts";

const BISECTIONS = 200;
/** Of a row's entropy, natural logarithm. */
const ENTROPY_TOLERANCE = 1e-12;
const SMALLEST_GAIN = 0.01;

/** P (n, n): (p_{j|i} + p_{i|j}) / 2n, each row's precision found by bisection so that its perplexity is the asked one. */
export function jointAffinities(vectors: Vectors, perplexity: number): Float64Array {
  const { n } = vectors;
  const conditional = new Float64Array(n * n);
  const distances = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    squaredDistances(vectors, i, distances);
    calibrate(distances, i, Math.log(perplexity), conditional.subarray(i * n, (i + 1) * n));
  }
  const joint = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      joint[i * n + j] = ((conditional[i * n + j] ?? NaN) + (conditional[j * n + i] ?? NaN)) / (2 * n);
    }
  }
  return joint;
}

/** p_{j|i} of one i, into `row` (n). */
function calibrate(distances: Float64Array, i: number, entropy: number, row: Float64Array): void {
  const n = distances.length;
  let nearest = Infinity;
  for (let j = 0; j < n; j++) {
    nearest = j === i ? nearest : Math.min(nearest, distances[j] ?? NaN);
  }
  let [beta, low, high] = [1, 0, Infinity];
  for (let step = 0; ; step++) {
    let [total, spread] = [0, 0];
    for (let j = 0; j < n; j++) {
      const beyond = (distances[j] ?? NaN) - nearest;
      const weight = j === i ? 0 : Math.exp(-beta * beyond);
      row[j] = weight;
      total += weight;
      spread += j === i ? 0 : beyond * weight;
    }
    const difference = Math.log(total) + (beta * spread) / total - entropy;
    if (step === BISECTIONS || Math.abs(difference) <= ENTROPY_TOLERANCE || beta > 1e30 || beta < 1e-30) {
      for (let j = 0; j < n; j++) row[j] = (row[j] ?? NaN) / total;
      return;
    }
    [low, high] = difference > 0 ? [beta, high] : [low, beta];
    beta = high === Infinity ? 2 * beta : (low + high) / 2;
  }
}

/** KL(P‖Q) of a layout (n, 2), natural logarithm. */
export function klDivergenceRef(affinities: Float64Array, positions: ArrayLike<number>): number {
  const n = positions.length / 2;
  let [cost, total] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      const q = closeness(positions, i, j);
      const p = affinities[i * n + j] ?? NaN;
      cost += p > 0 ? p * Math.log(p / q) : 0;
      total += q;
    }
  }
  return cost + Math.log(total);
}

function closeness(positions: ArrayLike<number>, i: number, j: number): number {
  const dx = (positions[2 * i] ?? NaN) - (positions[2 * j] ?? NaN);
  const dy = (positions[2 * i + 1] ?? NaN) - (positions[2 * j + 1] ?? NaN);
  return 1 / (1 + dx * dx + dy * dy);
}

/**
 * All iterations from a start (n, 2), unless the gradient vanishes; a divergence that stands does not end them.
 * @returns (n, 2)
 */
export function tsneRef(affinities: Float64Array, start: ArrayLike<number>, settings: TsneSettings): Float64Array {
  const n = start.length / 2;
  const positions = Float64Array.from(start);
  const [step, gain] = [new Float64Array(2 * n), new Float64Array(2 * n).fill(1)];
  const rate = rateOf(settings, n);
  let exploring = true;
  for (let done = 0, still = false; done < settings.iterations && (exploring || !still);) {
    if (exploring && (done === EXPLORATION || still)) {
      exploring = false;
      step.fill(0);
      gain.fill(1);
    }
    const gradient = gradientOf(affinities, positions, exploring ? settings.earlyExaggeration : 1);
    const momentum = exploring ? MOMENTUM.exploration : MOMENTUM.after;
    let slope = 0;
    for (let at = 0; at < 2 * n; at++) {
      const [g, before, old] = [gradient[at] ?? NaN, step[at] ?? NaN, gain[at] ?? NaN];
      const now = Math.max(SMALLEST_GAIN, before * g < 0 ? old + 0.2 : old * 0.8);
      const next = momentum * before - rate * now * g;
      gain[at] = now;
      step[at] = next;
      positions[at] = (positions[at] ?? NaN) + next;
      slope += (now * g) ** 2;
    }
    done++;
    still = done % CHECK_EVERY === 0 && Math.sqrt(slope) <= LEAST_SLOPE;
  }
  return positions;
}

/** 4 Σ_j (exaggeration p_ij − q_ij/Z) q_ij (y_i − y_j), (n, 2), Z the sum of all q. */
function gradientOf(affinities: Float64Array, positions: Float64Array, exaggeration: number): Float64Array {
  const n = positions.length / 2;
  const [attraction, repulsion] = [new Float64Array(2 * n), new Float64Array(2 * n)];
  let total = 0;
  for (let i = 0; i < n; i++) {
    const [x, y] = [positions[2 * i] ?? NaN, positions[2 * i + 1] ?? NaN];
    let [ax, ay, rx, ry] = [0, 0, 0, 0];
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      const [dx, dy] = [x - (positions[2 * j] ?? NaN), y - (positions[2 * j + 1] ?? NaN)];
      const q = 1 / (1 + dx * dx + dy * dy);
      const pull = exaggeration * (affinities[i * n + j] ?? NaN) * q;
      ax += pull * dx;
      ay += pull * dy;
      rx += q * q * dx;
      ry += q * q * dy;
      total += q;
    }
    attraction.set([ax, ay], 2 * i);
    repulsion.set([rx, ry], 2 * i);
  }
  return attraction.map((value, at) => 4 * (value - (repulsion[at] ?? NaN) / total));
}
