/** CPU twins of shaders/lora_subgroup.wgsl: it computes what lora.wgsl does. */
export {
  loraDownRef as loraSubgroupDownRef,
  loraGradRef as loraSubgroupGradRef,
  loraUpRef as loraSubgroupUpRef,
} from "./lora.ref.ts";
