// Embedding rows gathered from quantized weights (V, C): x[t] = W[ids[t]]. Frozen, so there is no backward.
// A table split along V runs once a part; rows of other parts are left alone.
override LAYOUT: u32 = 0u;
override HALVES: bool = false;
override WG: u32 = 64u;

struct Params { rows: u32, C: u32, N: u32, Np: u32, n0: u32 }

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> words: array<vec4u>;
@group(0) @binding(2) var<storage, read> scales: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>; // (T, C)
@group(0) @binding(4) var<uniform> p: Params;

#import shared/weights

@compute @workgroup_size(WG)
fn gather(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x;
  let row = id.y;
  let token = ids[row];
  if (k >= p.C || token < p.n0 || token >= p.n0 + p.N) {
    return;
  }
  let n = token - p.n0;
  let s = scale_min4(k, n & ~3u, p.C, p.Np);
  var value: f32;
  if (LAYOUT <= 1u) {
    let word = words[((k / 8u) * p.Np + n) / 4u][n % 4u];
    value = f32((word >> (4u * (k % 8u))) & 15u) * s.scale[n % 4u] + s.low[n % 4u];
  } else if (LAYOUT == 2u) {
    let word = bitcast<i32>(words[((k / 4u) * p.Np + n) / 4u][n % 4u]);
    value = f32((word << (24u - 8u * (k % 4u))) >> 24u) * s.scale[n % 4u] + s.low[n % 4u];
  } else {
    value = bitcast<f32>(words[(k * p.Np + n) / 4u][n % 4u]);
  }
  x[row * p.C + k] = value;
}
