// The part of druid that the benchmarks use; its releases under BSD come without types.
declare module "@saehrimnir/druidjs" {
  export class TSNE {
    /** @param X rows; unlike ours the learning rate is 10 and affinities are 4-fold for the first 100 iterations */
    constructor(X: number[][], parameters: { readonly perplexity: number; readonly seed: number });
    /** @returns rows of two */
    transform(iterations: number): ArrayLike<number>[];
  }
}
