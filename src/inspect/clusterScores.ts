/** How well types part in a space, and how well a layout shows it. Plain loops in f64, O(n²·d). */
import { normalized, squaredDistances, type Vectors } from "./vectors.ts";

/**
 * Silhouette (Rousseeuw 1987), the mean over points of (b − a)/max(a, b): a the mean distance to the others of its label,
 * b the least mean distance to another label; 0 for a label of one point. −1 … 1.
 * @param metric cosine: 1 − cosine; a vector of zeros is at distance 1 from all
 * @returns null unless there are at least two labels and fewer labels than points
 */
export function silhouette(vectors: Vectors, labels: readonly string[], metric: "euclidean" | "cosine"): number | null {
  const { n } = vectors;
  const names = [...new Set(labels)];
  if (names.length < 2 || names.length >= n) {
    return null;
  }
  const own = labels.map((label) => names.indexOf(label));
  const sizes = names.map((_, c) => own.filter((label) => label === c).length);
  // Between unit vectors 1 − cosine is half the squared distance.
  const points = metric === "cosine" ? normalized(vectors) : vectors;
  const zero = metric === "cosine" ? zeroVectors(vectors) : [];
  const distances = new Float64Array(n);
  let total = 0;
  for (let i = 0; i < n; i++) {
    const mine = own[i] ?? 0;
    if (sizes[mine] === 1) {
      continue;
    }
    squaredDistances(points, i, distances);
    const sums = new Float64Array(names.length);
    for (let j = 0; j < n; j++) {
      const square = distances[j] ?? NaN;
      const apart =
        metric === "euclidean" ? Math.sqrt(square) : i !== j && (zero[i] === true || zero[j] === true) ? 1 : square / 2;
      const label = own[j] ?? 0;
      sums[label] = (sums[label] ?? 0) + apart;
    }
    const a = (sums[mine] ?? NaN) / ((sizes[mine] ?? NaN) - 1);
    let b = Infinity;
    sums.forEach((sum, label) => {
      b = label === mine ? b : Math.min(b, sum / (sizes[label] ?? NaN));
    });
    total += a === b ? 0 : (b - a) / Math.max(a, b);
  }
  return total / n;
}

function zeroVectors({ data, n, d }: Vectors): boolean[] {
  return Array.from({ length: n }, (_, i) => data.subarray(i * d, (i + 1) * d).every((value) => value === 0));
}

/**
 * Neighbourhood purity: the mean share of a point's k nearest others that have its label.
 * @returns null where there are not more than k points
 */
export function neighbourhoodPurity(vectors: Vectors, labels: readonly string[], k: number): number | null {
  const { n } = vectors;
  if (n <= k) {
    return null;
  }
  const distances = new Float64Array(n);
  let same = 0;
  for (let i = 0; i < n; i++) {
    squaredDistances(vectors, i, distances);
    for (const j of nearest(distances, i, k)) {
      same += labels[j] === labels[i] ? 1 : 0;
    }
  }
  return same / (n * k);
}

/**
 * Trustworthiness at k (Venna & Kaski 2001): 1 unless points near each other in the layout are far from each other among
 * the vectors: 1 − 2/(nk(2n − 3k − 1)) Σ_i Σ_j (rank_i(j) − k), over the j among i's k nearest in the layout but not among
 * the vectors.
 * @returns null where k is not below n/2, for which it is not defined
 */
export function trustworthiness(vectors: Vectors, layout: Vectors, k: number): number | null {
  const { n } = vectors;
  if (k >= n / 2) {
    return null;
  }
  const [far, near] = [new Float64Array(n), new Float64Array(n)];
  let excess = 0;
  for (let i = 0; i < n; i++) {
    squaredDistances(vectors, i, far);
    squaredDistances(layout, i, near);
    for (const j of nearest(near, i, k)) {
      excess += Math.max(0, rankOf(far, i, j) - k);
    }
  }
  return 1 - (2 * excess) / (n * k * (2 * n - 3 * k - 1));
}

/** The k indices other than i of least distance, of equals the first. */
function nearest(distances: Float64Array, i: number, k: number): number[] {
  const found: number[] = []; // by distance, then index
  let limit = Infinity;
  for (let j = 0; j < distances.length; j++) {
    const distance = distances[j] ?? NaN;
    if (j === i || (found.length === k && distance >= limit)) {
      continue;
    }
    let place = found.length;
    while (place > 0 && (distances[found[place - 1] ?? 0] ?? NaN) > distance) {
      place--;
    }
    found.splice(place, 0, j);
    found.length = Math.min(found.length, k);
    limit = distances[found.at(-1) ?? 0] ?? Infinity;
  }
  return found;
}

/** From 1: j's place among the others by their distance to i, equals by index. */
function rankOf(distances: Float64Array, i: number, j: number): number {
  const own = distances[j] ?? NaN;
  let rank = 1;
  for (let other = 0; other < distances.length; other++) {
    const distance = distances[other] ?? NaN;
    if (other !== i && (distance < own || (distance === own && other < j))) {
      rank++;
    }
  }
  return rank;
}
