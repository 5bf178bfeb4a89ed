/** CPU twins of shaders/attention_subgroup.wgsl: it computes what attention.wgsl does. */
export {
  attentionBackwardKvRef as attentionSubgroupBackwardKvRef,
  attentionBackwardQRef as attentionSubgroupBackwardQRef,
  attentionForwardRef as attentionSubgroupForwardRef,
} from "./attention.ref.ts";
