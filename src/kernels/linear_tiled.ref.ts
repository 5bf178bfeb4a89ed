/** CPU twins of shaders/linear_tiled.wgsl: it computes what linear.wgsl does. */
export {
  linearBackwardRef as linearTiledBackwardRef,
  linearForwardRef as linearTiledForwardRef,
} from "./linear.ref.ts";
