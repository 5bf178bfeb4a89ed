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
  x[row * p.C + k] = weight_at(k, token - p.n0, p.C, p.Np);
}
