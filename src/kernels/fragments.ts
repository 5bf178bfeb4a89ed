/** The importable WGSL fragments, by the name `#import` uses. */
import attentionIoWgsl from "../../shaders/shared/attention_io.wgsl";
import linearIoWgsl from "../../shaders/shared/linear_io.wgsl";
import linearTilesWgsl from "../../shaders/shared/linear_tiles.wgsl";
import loraIoWgsl from "../../shaders/shared/lora_io.wgsl";
import randomWgsl from "../../shaders/shared/random.wgsl";
import reduceWgsl from "../../shaders/shared/reduce.wgsl";
import weightsWgsl from "../../shaders/shared/weights.wgsl";

export const FRAGMENTS = {
  "shared/attention_io": attentionIoWgsl,
  "shared/linear_io": linearIoWgsl,
  "shared/linear_tiles": linearTilesWgsl,
  "shared/lora_io": loraIoWgsl,
  "shared/random": randomWgsl,
  "shared/reduce": reduceWgsl,
  "shared/weights": weightsWgsl,
} as const;
