// Cross-entropy over supervised rows, the vocabulary in chunks (online softmax, Milakov & Gimelshein 2018):
//   accumulate  folds a chunk of logits (S, stride) into the row's running maximum and sum, and keeps the label's logit
//   finish      total += (sum over rows of lse − logit(label), number of rows); one workgroup, so the order is fixed
//   backward    turns a recomputed chunk into dlogits = (softmax − onehot)·factor, in place: factors[row], or factors[0]
//               for all rows
// One workgroup a row. stats: (S) of (maximum, sum, label logit, lse).
override WG: u32 = 64u;

struct Params { n0: u32, N: u32, stride: u32, first: u32, perRow: u32, rows: u32 } // perRow: 1, a factor for each row

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> stats: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

@group(0) @binding(0) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(2) var<storage, read> saved: array<vec4f>;
@group(0) @binding(3) var<storage, read> factors: array<f32>;
@group(0) @binding(4) var<uniform> pb: Params;

@group(0) @binding(0) var<storage, read> finished: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> total: array<vec2f>;
@group(0) @binding(2) var<uniform> pf: Params; // N: number of rows

// Below every logit, and far enough from f32's end that no difference or product inside exp overflows: WGSL lets a
// compiler assume that nothing does.
const LOWEST = -1e30;
var<workgroup> pairs: array<vec2f, WG>;

#import shared/reduce

// (max, sum of exp(v − max)) of two such pairs.
fn merge(a: vec2f, b: vec2f) -> vec2f {
  let top = max(a.x, b.x);
  return vec2f(top, a.y * exp(a.x - top) + b.y * exp(b.x - top));
}

@compute @workgroup_size(WG)
fn accumulate(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = group.x * p.stride;
  var pair = vec2f(LOWEST, 0.0);
  for (var n = lane; n < p.N; n += WG) {
    pair = merge(pair, vec2f(logits[base + n], 1.0));
  }
  pairs[lane] = pair;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      pairs[lane] = merge(pairs[lane], pairs[lane + half]);
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    var row = stats[group.x];
    if (p.first == 1u) {
      row = vec4f(LOWEST, 0.0, 0.0, 0.0);
    }
    let merged = merge(row.xy, pairs[0]);
    let label = labels[group.x];
    if (label >= p.n0 && label < p.n0 + p.N) {
      row.z = logits[base + label - p.n0];
    }
    stats[group.x] = vec4f(merged, row.z, merged.x + log(merged.y));
  }
}

@compute @workgroup_size(WG)
fn finish(@builtin(local_invocation_index) lane: u32) {
  var loss = 0.0;
  for (var row = lane; row < pf.N; row += WG) {
    loss += finished[row].w - finished[row].z;
  }
  let sum = workgroup_sum(lane, loss);
  if (lane == 0u) {
    total[0] += vec2f(sum, f32(pf.N));
  }
}

@compute @workgroup_size(WG)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = group.x * pb.stride;
  let lse = saved[group.x].w;
  let label = labels[group.x];
  let factor = factors[group.x * pb.perRow];
  for (var n = lane; n < pb.N; n += WG) {
    let onehot = select(0.0, 1.0, label == pb.n0 + n);
    dlogits[base + n] = (exp(dlogits[base + n] - lse) - onehot) * factor;
  }
}
