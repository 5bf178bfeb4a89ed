/** The importable WGSL fragments, by the name `#import` uses. */
import randomWgsl from "../../shaders/shared/random.wgsl";
import weightsWgsl from "../../shaders/shared/weights.wgsl";

export const FRAGMENTS = { "shared/random": randomWgsl, "shared/weights": weightsWgsl } as const;
