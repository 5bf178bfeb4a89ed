/** Greedy choice of the next token and its probability. */

export interface Choice {
  readonly id: number;
  /** Softmax over the tokens that were allowed. */
  readonly probability: number;
}

/**
 * The likeliest of the allowed ids; the lowest id where several are equal.
 * @throws Error where nothing is allowed or a logit is NaN
 */
export function chooseAmong(logits: Float32Array, allowed: readonly number[]): Choice {
  const [first] = allowed;
  if (first === undefined) {
    throw new Error("expected at least one token to choose from, got none");
  }
  let best = first;
  for (const id of allowed) {
    const gain = (logits[id] ?? NaN) - (logits[best] ?? NaN);
    if (gain > 0 || (gain === 0 && id < best)) {
      best = id;
    }
  }
  const probability = 1 / sumOfExp(logits, allowed, logits[best] ?? NaN);
  if (Number.isNaN(probability)) {
    throw new Error("expected the model to give finite logits, got NaN (the model file or the adapter is damaged)");
  }
  return { id: best, probability };
}

/** The likeliest of the whole vocabulary. */
export function chooseOfAll(logits: Float32Array): Choice {
  return chooseAmong(logits, [...logits.keys()]);
}

function sumOfExp(logits: Float32Array, ids: readonly number[], top: number): number {
  return ids.reduce((sum, id) => sum + Math.exp((logits[id] ?? NaN) - top), 0);
}
