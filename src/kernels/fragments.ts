/** The importable WGSL fragments, by the name `#import` uses. */
import randomWgsl from "../../shaders/shared/random.wgsl";
import reduceWgsl from "../../shaders/shared/reduce.wgsl";
import weightsWgsl from "../../shaders/shared/weights.wgsl";

export const FRAGMENTS = {
  "shared/random": randomWgsl,
  "shared/reduce": reduceWgsl,
  "shared/weights": weightsWgsl,
} as const;
