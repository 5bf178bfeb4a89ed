/** Vectors to lay out and to score, and distances between them. */

/** n vectors of d numbers, row by row. */
export interface Vectors {
  readonly data: Float32Array | Float64Array;
  readonly n: number;
  readonly d: number;
}

/** Squared Euclidean distances of vector i to all, into `out` (n). */
export function squaredDistances({ data, n, d }: Vectors, i: number, out: Float64Array): void {
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let k = 0; k < d; k++) {
      const difference = (data[i * d + k] ?? NaN) - (data[j * d + k] ?? NaN);
      sum += difference * difference;
    }
    out[j] = sum;
  }
}

/** The vectors with length 1; one of zeros stays as it is. */
export function normalized({ data, n, d }: Vectors): Vectors {
  const unit = Float64Array.from(data);
  for (let i = 0; i < n; i++) {
    let squares = 0;
    for (let k = i * d; k < (i + 1) * d; k++) {
      squares += (unit[k] ?? NaN) ** 2;
    }
    const length = Math.sqrt(squares) || 1;
    for (let k = i * d; k < (i + 1) * d; k++) {
      unit[k] = (unit[k] ?? NaN) / length;
    }
  }
  return { data: unit, n, d };
}

/** Some of the vectors, in the order of `rows`. */
export function pickVectors({ data, d }: Vectors, rows: readonly number[]): Vectors {
  const picked = new Float64Array(rows.length * d);
  rows.forEach((row, i) => picked.set(data.subarray(row * d, (row + 1) * d), i * d));
  return { data: picked, n: rows.length, d };
}

/** @throws Error naming the first vector that is not finite */
export function checkFinite({ data, d }: Vectors): void {
  const broken = data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    throw new Error(
      `expected finite vectors, got ${data[broken]} in number ${broken % d} of vector ${Math.floor(broken / d)} (the model or its adapter is broken: did its training end in NaN?)`,
    );
  }
}
