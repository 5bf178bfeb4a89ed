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
  return choiceOf(allowed[best] ?? NaN, logits[best] ?? NaN, logits.subarray(0, allowed.length));
}

/** The likeliest of the whole vocabulary. */
export function chooseOfAll(logits: Float32Array): Choice {
  // Tens of thousands, for every token: a loop takes a small part of what a list of all ids would.
  let best = 0;
  for (let id = 1; id < logits.length; id++) {
    if ((logits[id] ?? NaN) > (logits[best] ?? NaN)) best = id;
  }
  return choiceOf(best, logits[best] ?? NaN, logits);
}

function choiceOf(id: number, logit: number, logits: Float32Array): Choice {
  const probability = 1 / sumOfExp(logits, logit);
  if (Number.isNaN(probability)) {
    throw new Error("expected the model to give finite logits, got NaN (the model file or the adapter is damaged)");
  }
  return { id, probability };
}

function sumOfExp(logits: Float32Array, top: number): number {
  return logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
}
