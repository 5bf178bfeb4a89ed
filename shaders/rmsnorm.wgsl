// RMSNorm (Zhang & Sennrich 2019): y = x·rstd·w, rstd = 1/sqrt(mean(x²) + eps). x, y: (T,C); w: (C); rstd: (T).
// Backward with w frozen: dx += rstd·(w·dy − x·rstd²·mean(w·dy·x)). dx accumulates: it is the residual stream's.
// One workgroup a row.
override WG: u32 = 64u;

struct Params { C: u32, eps: f32, rows: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

@group(0) @binding(2) var<storage, read> saved: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(5) var<uniform> pb: Params;

#import shared/reduce

@compute @workgroup_size(WG)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let c4 = p.C / 4u;
  let base = group.x * c4;
  var squares = 0.0;
  for (var c = lane; c < c4; c += WG) {
    squares += dot(x[base + c], x[base + c]);
  }
  let scale = 1.0 / sqrt(workgroup_sum(lane, squares) / f32(p.C) + p.eps);
  for (var c = lane; c < c4; c += WG) {
    y[base + c] = x[base + c] * scale * weight[c];
  }
  if (lane == 0u) {
    rstd[group.x] = scale;
  }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let c4 = pb.C / 4u;
  let base = group.x * c4;
  let scale = saved[group.x];
  var products = 0.0;
  for (var c = lane; c < c4; c += WG) {
    products += dot(weight[c] * dy[base + c], x[base + c]);
  }
  let mean = workgroup_sum(lane, products) / f32(pb.C);
  for (var c = lane; c < c4; c += WG) {
    dx[base + c] += scale * (weight[c] * dy[base + c] - x[base + c] * (scale * scale * mean));
  }
}
