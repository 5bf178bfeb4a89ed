/** CPU twins of shaders/linear_subgroup.wgsl: it computes what linear.wgsl does. */
export {
  linearBackwardRef as linearSubgroupBackwardRef,
  linearForwardRef as linearSubgroupForwardRef,
  linearForwardRowRef as linearSubgroupForwardFourRef,
  linearForwardRowRef as linearSubgroupForwardRowRef,
} from "./linear.ref.ts";
