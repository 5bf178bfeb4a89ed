// Joint affinities of t-SNE (van der Maaten & Hinton 2008) from n vectors of d numbers; S = n rounded up to four.
//   distances   m[j, i] = |x_j − x_i|²
//   calibrate   column i of m becomes p_{j|i} = exp(−β_i m[j, i]) / Σ_k exp(−β_i m[k, i]), j ≠ i, where β_i is found by
//               bisection so that the entropy is log(perplexity)
//   join        P[j, i] = (p_{j|i} + p_{i|j}) / 2n as bf16: the word (j/2, i) holds P[j, i] below and P[j + 1, i] above
// The first two in one matrix m (S,S), whose padding and diagonal become 0. Distances are symmetric, so that a column can
// be read for a row: neighbouring invocations then read neighbouring numbers.
override WG: u32 = 64u;

struct Params {
  n: u32,
  S: u32,
  d: u32,
  first: u32, // distances: first group of four rows; calibrate: first column; join: first pair of rows
  count: u32, // how many of them
  entropy: f32, // log(perplexity)
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>; // (d,S): the vectors, transposed
@group(0) @binding(1) var<storage, read_write> m: array<vec4f>; // (S,S)
@group(0) @binding(2) var<uniform> p: Params;

@group(0) @binding(0) var<storage, read_write> matrix: array<f32>; // (S,S)
@group(0) @binding(1) var<uniform> pa: Params;

@group(0) @binding(0) var<storage, read> conditional: array<f32>; // (S,S)
@group(0) @binding(1) var<storage, read_write> words: array<u32>; // (S/2,S)
@group(0) @binding(2) var<uniform> pj: Params;

@compute @workgroup_size(WG)
fn distances(@builtin(global_invocation_id) id: vec3u) {
  let S4 = p.S / 4u;
  let i4 = id.x;
  let j4 = p.first + id.y;
  if (i4 >= S4 || j4 >= S4) {
    return;
  }
  var r0 = vec4f();
  var r1 = vec4f();
  var r2 = vec4f();
  var r3 = vec4f();
  for (var k = 0u; k < p.d; k++) {
    let a = x[k * S4 + i4];
    let b = x[k * S4 + j4];
    let d0 = a - b.x;
    let d1 = a - b.y;
    let d2 = a - b.z;
    let d3 = a - b.w;
    r0 = fma(d0, d0, r0);
    r1 = fma(d1, d1, r1);
    r2 = fma(d2, d2, r2);
    r3 = fma(d3, d3, r3);
  }
  let to = 4u * j4 * S4 + i4;
  m[to] = r0;
  m[to + S4] = r1;
  m[to + 2u * S4] = r2;
  m[to + 3u * S4] = r3;
}

// Close enough to the asked entropy, and steps after which β is as exact as f32 can hold it.
const TOLERANCE = 1e-5;
const MOST_STEPS = 100u;
const FARTHEST = 3.4e38;

@compute @workgroup_size(WG)
fn calibrate(@builtin(global_invocation_id) id: vec3u) {
  let S = pa.S;
  let i = pa.first + id.x;
  if (id.x >= pa.count || i >= S) {
    return;
  }
  if (i >= pa.n) {
    for (var j = 0u; j < S; j++) {
      matrix[j * S + i] = 0.0;
    }
    return;
  }
  // Measured from the nearest neighbour, so that not all exponentials can vanish.
  var nearest = FARTHEST;
  for (var j = 0u; j < pa.n; j++) {
    nearest = min(nearest, select(matrix[j * S + i], FARTHEST, j == i));
  }
  var beta = 1.0;
  var low = 0.0;
  var high = 0.0; // 0: none yet
  var total = 1.0;
  for (var step = 0u; step < MOST_STEPS; step++) {
    total = 0.0;
    var spread = 0.0;
    for (var j = 0u; j < pa.n; j++) {
      let excess = matrix[j * S + i] - nearest;
      let e = select(exp(-beta * excess), 0.0, j == i);
      total += e;
      spread += excess * e;
    }
    let difference = log(total) + beta * spread / total - pa.entropy;
    let before = beta;
    if (abs(difference) <= TOLERANCE) {
      break;
    } else if (difference > 0.0) {
      low = beta;
      beta = select((beta + high) * 0.5, beta * 2.0, high == 0.0);
    } else {
      high = beta;
      beta = (beta + low) * 0.5;
    }
    // Nothing between the bounds, or out of range: as near as it gets, with `total` that of `before`.
    if (beta == before || beta > 1e30 || beta < 1e-30) {
      beta = before;
      break;
    }
  }
  for (var j = 0u; j < S; j++) {
    let excess = matrix[j * S + i] - nearest;
    matrix[j * S + i] = select(exp(-beta * excess) / total, 0.0, j == i || j >= pa.n);
  }
}

fn joint(j: u32, i: u32) -> f32 {
  return (conditional[j * pj.S + i] + conditional[i * pj.S + j]) / f32(2u * pj.n);
}

// Rounded to the nearest bf16, ties to even; finite and not negative.
fn bf16(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}

@compute @workgroup_size(WG)
fn join(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  let j2 = pj.first + id.y;
  if (i >= pj.S || 2u * j2 >= pj.S) {
    return;
  }
  words[j2 * pj.S + i] = bf16(joint(2u * j2, i)) | (bf16(joint(2u * j2 + 1u, i)) << 16u);
}
