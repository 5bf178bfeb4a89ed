/** CPU twins of shaders/linear_tiled_f16.wgsl: what linear.wgsl computes, to fewer bits. */
export {
  linearBackwardRef as linearTiledF16BackwardRef,
  linearForwardRef as linearTiledF16ForwardRef,
} from "./linear.ref.ts";
