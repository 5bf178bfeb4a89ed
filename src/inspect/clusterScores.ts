/** How well types part in a space, and how well a layout shows it. Plain loops in f64, O(n²·d). */
import { type ComputeOptions, Pauses } from "./pauses.ts";
import { squaredDistances, type Vectors } from "./vectors.ts";

/** Null where a score is not defined. */
export interface ClusterScores {
  /**
   * Silhouette (Rousseeuw 1987) of the vectors, −1 … 1: the mean over points of (b − a)/max(a, b), a the mean distance to
   * the others of its label, b the least mean distance to another label; 0 for a label of one point. Null unless there
   * are at least two labels and fewer labels than points. Cosine: distance 1 − cosine, 1 to a vector of zeros.
   */
  readonly silhouette: { readonly euclidean: number | null; readonly cosine: number | null };
  /** The mean share of a point's k nearest others among the vectors that have its label; null for not more than k points. */
  readonly purity: number | null;
  /**
   * Trustworthiness of the layout at k (Venna & Kaski 2001): 1 unless points near each other in the layout are far from
   * each other among the vectors: 1 − 2/(nk(2n − 3k − 1)) Σ_i Σ_j (rank_i(j) − k), over the j among i's k nearest in the
   * layout but not among the vectors. Null where k is not below n/2.
   */
  readonly trustworthiness: number | null;
}

/**
 * @param layout (n, 2), of the same points
 * @param k neighbours that purity and trustworthiness look at
 * @throws the signal's reason when stopped
 */
export async function clusterScores(
  vectors: Vectors,
  layout: Vectors,
  labels: readonly string[],
  k: number,
  options: ComputeOptions = {},
): Promise<ClusterScores> {
  const { n } = vectors;
  const names = [...new Set(labels)];
  const own = labels.map((label) => names.indexOf(label));
  const sizes = names.map((_, c) => own.filter((label) => label === c).length);
  const lengths = lengthsOf(vectors);
  const [far, near, apart] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  let [euclidean, cosine, same, excess] = [0, 0, 0, 0];
  const pauses = new Pauses(options);
  for (let i = 0; i < n; i++) {
    squaredDistances(vectors, i, far);
    squaredDistances(layout, i, near);
    const mine = own[i] ?? 0;
    far.forEach((square, j) => (apart[j] = Math.sqrt(square)));
    euclidean += silhouetteOf(apart, own, sizes, mine);
    const length = lengths[i] ?? NaN;
    far.forEach((square, j) => (apart[j] = i === j ? 0 : cosineDistance(square, length, lengths[j] ?? NaN)));
    cosine += silhouetteOf(apart, own, sizes, mine);
    for (const j of nearest(far, i, k)) {
      same += own[j] === mine ? 1 : 0;
    }
    for (const j of nearest(near, i, k)) {
      excess += Math.max(0, rankOf(far, i, j) - k);
    }
    await pauses.due(i + 1, n);
  }
  const parts = names.length >= 2 && names.length < n;
  return {
    silhouette: { euclidean: parts ? euclidean / n : null, cosine: parts ? cosine / n : null },
    purity: n > k ? same / (n * k) : null,
    trustworthiness: k < n / 2 ? 1 - (2 * excess) / (n * k * (2 * n - 3 * k - 1)) : null,
  };
}

function lengthsOf({ data, n, d }: Vectors): number[] {
  return Array.from({ length: n }, (_, i) => {
    let squares = 0;
    for (let k = i * d; k < (i + 1) * d; k++) {
      squares += (data[k] ?? NaN) ** 2;
    }
    return Math.sqrt(squares);
  });
}

/** 1 − cosine of two vectors of known lengths and squared distance. */
function cosineDistance(square: number, a: number, b: number): number {
  return a === 0 || b === 0 ? 1 : (square - (a - b) ** 2) / (2 * a * b);
}

/** Of one point, from its distances to all. */
function silhouetteOf(apart: Float64Array, own: readonly number[], sizes: readonly number[], mine: number): number {
  if (sizes[mine] === 1) {
    return 0;
  }
  const sums = new Float64Array(sizes.length);
  for (let j = 0; j < apart.length; j++) {
    const label = own[j] ?? 0;
    sums[label] = (sums[label] ?? 0) + (apart[j] ?? NaN);
  }
  const a = (sums[mine] ?? NaN) / ((sizes[mine] ?? NaN) - 1);
  let b = Infinity;
  sums.forEach((sum, label) => {
    b = label === mine ? b : Math.min(b, sum / (sizes[label] ?? NaN));
  });
  return a === b || b === Infinity ? 0 : (b - a) / Math.max(a, b);
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
