// One iteration of exact t-SNE (van der Maaten & Hinton 2008) in two dimensions. P (S,S) are the symmetric joint
// affinities of n points, S = n rounded up to four, zero on the diagonal and in the padding. They come as bf16, the word
// (j/2, i) holding P[j, i] below and P[j + 1, i] above: reading them is half of an iteration's time.
//   d²_ij = |y_i − y_j|²,  q_ij = 1/(1 + d²_ij),  Z = Σ_{i≠j} q_ij
//   forces      sums[split, i] = Σ_j (p q (y_i − y_j), q² (y_i − y_j)) and normals[group] = Σ q over the group's pairs
//   update      g_i = 4 (exaggeration Σ p q (y_i − y_j) − Σ q² (y_i − y_j)/Z); gains (Jacobs 1988) grow by 0.2 where
//               step and slope disagree in sign, else shrink by a fifth; step = momentum·step − rate·gain·g; y += step
//   divergence  KL(P‖Q) = Σ p log(p/q) + log Z, of which parts[split, i/4] = (Σ p log(p (1 + d²)), Σ q)
// An invocation keeps four points i in registers and streams the points j of its split, two at a time. Padding points
// stand far apart from all others, so that their q vanishes without a test. A point's own q is 1 and is taken off after.
override WG: u32 = 64u;

struct Params {
  n: u32,
  S: u32,
  splits: u32,
  length: u32, // points j of a split, a multiple of 4
  groups: u32, // normals that forces wrote
  exaggeration: f32,
  momentum: f32,
  rate: f32,
}

@group(0) @binding(0) var<storage, read> affinities: array<vec4u>; // (S/2,S)
@group(0) @binding(1) var<storage, read> positions: array<vec4f>; // (S) points, two a vector
@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>; // (splits,S)
@group(0) @binding(3) var<storage, read_write> normals: array<f32>; // (groups)
@group(0) @binding(4) var<uniform> p: Params;

@group(0) @binding(2) var<storage, read_write> parts: array<vec2f>; // (splits,S/4)
@group(0) @binding(3) var<uniform> pd: Params;

@group(0) @binding(0) var<storage, read> summed: array<vec4f>; // (splits,S)
@group(0) @binding(1) var<storage, read> normalizers: array<f32>; // (groups)
@group(0) @binding(2) var<storage, read_write> points: array<vec2f>; // (S)
@group(0) @binding(3) var<storage, read_write> motion: array<vec4f>; // (S) of (step, gains)
@group(0) @binding(4) var<uniform> pu: Params;

#import shared/reduce

const SMALLEST_GAIN = 0.01;

// The lower and the upper bf16 of words.
fn even(words: vec4u) -> vec4f {
  return bitcast<vec4f>(words << vec4u(16u));
}

fn odd(words: vec4u) -> vec4f {
  return bitcast<vec4f>(words & vec4u(0xffff0000u));
}

@compute @workgroup_size(WG)
fn forces(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let S4 = p.S / 4u;
  let i4 = min(id.x, S4 - 1u);
  let a = positions[2u * i4];
  let b = positions[2u * i4 + 1u];
  let x = vec4f(a.x, a.z, b.x, b.z);
  let y = vec4f(a.y, a.w, b.y, b.w);
  var attractX = vec4f();
  var attractY = vec4f();
  var repelX = vec4f();
  var repelY = vec4f();
  var total = vec4f();
  let begin = group.y * p.length;
  let end = min(begin + p.length, p.S);
  for (var j2 = begin / 2u; j2 < end / 2u; j2++) {
    let other = positions[j2];
    let words = affinities[j2 * S4 + i4];
    let dx0 = x - other.x;
    let dy0 = y - other.y;
    let q0 = 1.0 / fma(dx0, dx0, fma(dy0, dy0, vec4f(1.0)));
    let pq0 = even(words) * q0;
    let qq0 = q0 * q0;
    let dx1 = x - other.z;
    let dy1 = y - other.w;
    let q1 = 1.0 / fma(dx1, dx1, fma(dy1, dy1, vec4f(1.0)));
    let pq1 = odd(words) * q1;
    let qq1 = q1 * q1;
    total += q0 + q1;
    attractX = fma(pq0, dx0, fma(pq1, dx1, attractX));
    attractY = fma(pq0, dy0, fma(pq1, dy1, attractY));
    repelX = fma(qq0, dx0, fma(qq1, dx1, repelX));
    repelY = fma(qq0, dy0, fma(qq1, dy1, repelY));
  }
  if (4u * i4 >= begin && 4u * i4 < end) {
    total -= 1.0;
  }
  let inside = id.x < S4;
  if (inside) {
    let to = group.y * p.S + 4u * i4;
    for (var k = 0u; k < 4u; k++) {
      sums[to + k] = vec4f(attractX[k], attractY[k], repelX[k], repelY[k]);
    }
  }
  let sum = workgroup_sum(lane, select(0.0, dot(total, vec4f(1.0)), inside));
  if (lane == 0u) {
    normals[group.y * groups.x + group.x] = sum;
  }
}

@compute @workgroup_size(WG)
fn update(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  var own = 0.0;
  for (var k = lane; k < pu.groups; k += WG) {
    own += normalizers[k];
  }
  let Z = workgroup_sum(lane, own);
  let i = id.x;
  if (i >= pu.n) {
    return;
  }
  var sum = vec4f();
  for (var split = 0u; split < pu.splits; split++) {
    sum += summed[split * pu.S + i];
  }
  let g = 4.0 * (pu.exaggeration * sum.xy - sum.zw / Z);
  let step = motion[i].xy;
  let gains = motion[i].zw;
  let newGains = max(select(gains * 0.8, gains + 0.2, step * g < vec2f(0.0)), vec2f(SMALLEST_GAIN));
  let newStep = pu.momentum * step - pu.rate * newGains * g;
  motion[i] = vec4f(newStep, newGains);
  points[i] += newStep;
}

// p log(p (1 + d²)), which is 0 where p is.
fn cost(affinity: vec4f, spread: vec4f) -> vec4f {
  return select(vec4f(), affinity * log(affinity * spread), affinity > vec4f());
}

@compute @workgroup_size(WG)
fn divergence(@builtin(global_invocation_id) id: vec3u) {
  let S4 = pd.S / 4u;
  let i4 = id.x;
  if (i4 >= S4) {
    return;
  }
  let a = positions[2u * i4];
  let b = positions[2u * i4 + 1u];
  let x = vec4f(a.x, a.z, b.x, b.z);
  let y = vec4f(a.y, a.w, b.y, b.w);
  var costs = vec4f();
  var total = vec4f();
  let begin = id.y * pd.length;
  let end = min(begin + pd.length, pd.S);
  for (var j2 = begin / 2u; j2 < end / 2u; j2++) {
    let other = positions[j2];
    let words = affinities[j2 * S4 + i4];
    let spread0 = 1.0 + (x - other.x) * (x - other.x) + (y - other.y) * (y - other.y);
    let spread1 = 1.0 + (x - other.z) * (x - other.z) + (y - other.w) * (y - other.w);
    total += 1.0 / spread0 + 1.0 / spread1;
    costs += cost(even(words), spread0) + cost(odd(words), spread1);
  }
  if (4u * i4 >= begin && 4u * i4 < end) {
    total -= 1.0;
  }
  parts[id.y * S4 + i4] = vec2f(dot(costs, vec4f(1.0)), dot(total, vec4f(1.0)));
}
