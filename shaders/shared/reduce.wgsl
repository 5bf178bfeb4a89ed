// Sum over a workgroup as a tree, so that the order of additions, and with it the rounding, is always the same.
// Uses the override WG of the importing shader, a power of two. Every lane calls it, in uniform control flow, and between
// two calls stands a workgroupBarrier(): a lane could still be reading the first sum.
var<workgroup> lane_sums: array<f32, WG>;

fn workgroup_sum(lane: u32, value: f32) -> f32 {
  lane_sums[lane] = value;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      lane_sums[lane] += lane_sums[lane + half];
    }
    workgroupBarrier();
  }
  return lane_sums[0];
}
