// SwiGLU (Shazeer 2020): h = silu(g)·u, silu(g) = g·sigmoid(g). All (T, FF), flat.
// Backward, in place over the recomputed g and u: dg = dh·u·σ(g)(1 + g(1 − σ(g))), du = dh·silu(g).
override WG: u32 = 64u;

struct Params { count4: u32 } // vec4 elements

@group(0) @binding(0) var<storage, read> g: array<vec4f>;
@group(0) @binding(1) var<storage, read> u: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> h: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

@group(0) @binding(0) var<storage, read_write> gate: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> upward: array<vec4f>;
@group(0) @binding(2) var<storage, read> dh: array<vec4f>;

const ROW = 65535u * 64u; // elements in a row of workgroups along x

// WGSL lets a compiler assume that nothing overflows; below −80 the result is 0 beside 1 in f32 anyway.
fn sigmoid(v: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(-max(v, vec4f(-80.0))));
}

@compute @workgroup_size(WG)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i < p.count4) {
    h[i] = g[i] * sigmoid(g[i]) * u[i];
  }
}

@compute @workgroup_size(WG)
fn backward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= p.count4) {
    return;
  }
  let gv = gate[i];
  let uv = upward[i];
  let s = sigmoid(gv);
  gate[i] = dh[i] * uv * s * (1.0 + gv * (1.0 - s));
  upward[i] = dh[i] * gv * s;
}
