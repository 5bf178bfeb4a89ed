// Adam (Kingma & Ba 2015; decoupled weight decay, Loshchilov & Hutter 2019) over one flat range of LoRA weights,
// with global-norm clipping (Pascanu et al. 2013). The update is gated here by a finite flag, so that a NaN can
// overwrite nothing before the CPU has seen it.
//   square_sums  partials[group] = Σ g² of the group's elements
//   clip         norm = sqrt(Σ partials)·scale; state = (norm, factor on g, finite, 0); one workgroup: a fixed order
//   update       m, v, weights from g·factor, only if finite
// `gradScale` turns summed gradients into means (1 / supervised tokens of the step).
override WG: u32 = 64u;

struct Params {
  count: u32,
  groups: u32,
  gradScale: f32,
  maxNorm: f32, // ≤ 0: no clipping
  learningRate: f32,
  beta1: f32,
  beta2: f32,
  eps: f32,
  weightDecay: f32,
  correction1: f32, // 1 − beta1^step
  correction2: f32, // 1 − beta2^step
  first: u32,       // first partial of this range
}

@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;

@group(0) @binding(1) var<storage, read> decided: array<f32>;
@group(0) @binding(2) var<storage, read_write> m: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;
@group(0) @binding(5) var<uniform> pu: Params;

const PER_GROUP = 4096u;

#import shared/reduce

@compute @workgroup_size(WG)
fn square_sums(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let end = min((group.x + 1u) * PER_GROUP, p.count);
  var squares = 0.0;
  for (var i = group.x * PER_GROUP + lane; i < end; i += WG) {
    squares += g[i] * g[i];
  }
  let sum = workgroup_sum(lane, squares);
  if (lane == 0u) {
    partials[p.first + group.x] = sum;
  }
}

// Bit test: a compiler may assume that floats are finite and drop `x != x`.
fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(WG)
fn clip(@builtin(local_invocation_index) lane: u32) {
  var squares = 0.0;
  for (var i = lane; i < p.groups; i += WG) {
    squares += sums[i];
  }
  let norm = sqrt(workgroup_sum(lane, squares)) * p.gradScale;
  if (lane == 0u) {
    state[0] = norm;
    state[1] = p.gradScale * select(1.0, min(1.0, p.maxNorm / (norm + 1e-6)), p.maxNorm > 0.0);
    state[2] = select(0.0, 1.0, is_finite(norm));
  }
}

@compute @workgroup_size(WG)
fn update(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  if (decided[2] != 1.0) {
    return;
  }
  for (var i = id.x; i < pu.count; i += groups.x * WG) {
    let grad = g[i] * decided[1];
    m[i] = pu.beta1 * m[i] + (1.0 - pu.beta1) * grad;
    v[i] = pu.beta2 * v[i] + (1.0 - pu.beta2) * grad * grad;
    let stepSize = m[i] / pu.correction1 / (sqrt(v[i] / pu.correction2) + pu.eps);
    weights[i] -= pu.learningRate * (stepSize + pu.weightDecay * weights[i]);
  }
}
