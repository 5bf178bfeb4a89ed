/** A GGUF file that is broken, or holds what this engine does not run: one sentence, fit to be shown as it is. */
export class GgufError extends Error {
  override readonly name = "GgufError";
}
