/** Greedy choice of the next token and its probability. */

export interface Choice {
  readonly id: number;
  /** Softmax over the tokens that were allowed. */
  readonly probability: number;
}

/**
 * The likeliest of the allowed ids; the lowest id where several are equal.
 * @param logits of the allowed ids, in their order
 * @throws Error where nothing is allowed or a logit is NaN
 */
export function chooseAmong(logits: Float32Array, allowed: readonly number[]): Choice {
  if (allowed.length === 0) {
    throw new Error("expected at least one token to choose from, got none");
  }
  const best = allowed.reduce((top, id, i) => {
    const gain = (logits[i] ?? NaN) - (logits[top] ?? NaN);
    return gain > 0 || (gain === 0 && id < (allowed[top] ?? NaN)) ? i : top;
  }, 0);
  const probability = 1 / sumOfExp(logits.subarray(0, allowed.length), logits[best] ?? NaN);
  if (Number.isNaN(probability)) {
    throw new Error("expected the model to give finite logits, got NaN (the model file or the adapter is damaged)");
  }
  return { id: allowed[best] ?? NaN, probability };
}

/** The likeliest of the whole vocabulary. */
export function chooseOfAll(logits: Float32Array): Choice {
  return chooseAmong(logits, [...logits.keys()]);
}

function sumOfExp(logits: Float32Array, top: number): number {
  return logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
}
