// Logits of a few tokens at a few rows, where only those may come next: y[i] = x[picks[i].x] · W[picks[i].y], W (V, K)
// quantized and frozen. A table split along V runs once a part; picks of other parts are left alone.
override LAYOUT: u32 = 0u;
override HALVES: bool = false;
override WG: u32 = 32u;

struct Params { count: u32, K: u32, N: u32, Np: u32, n0: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>; // (rows, K)
@group(0) @binding(1) var<storage, read> picks: array<vec2u>; // (row, token)
@group(0) @binding(2) var<storage, read> words: array<vec4u>;
@group(0) @binding(3) var<storage, read> scales: array<vec4u>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> p: Params;

#import shared/weights
#import shared/reduce

// A workgroup a pick, its lanes side by side along K.
@compute @workgroup_size(WG)
fn picked(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.y * 256u + group.x;
  let pick = picks[min(i, p.count - 1u)];
  let mine = i < p.count && pick.y >= p.n0 && pick.y < p.n0 + p.N;
  let n = select(0u, pick.y - p.n0, mine);
  var sum = 0.0;
  for (var k = lane; k < p.K; k += WG) {
    sum += x[pick.x * p.K + k] * weight_at(k, n, p.K, p.Np);
  }
  sum = workgroup_sum(lane, sum);
  if (mine && lane == 0u) {
    y[i] = sum;
  }
}
