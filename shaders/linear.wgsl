// Quantized linear layer with the weights left quantized: y (T,N) = x (T,K)·Wᵀ and dX (T,K) = dY (T,N)·W.
// Frozen W has no gradient. Products and sums in f32. Weight layouts: shaders/shared/weights.wgsl.
// A tensor split into parts along N runs once a part: forward writes columns n0…, backward accumulates over parts.
// Tiles live in registers, without workgroup memory: on software adapters loads cost more than arithmetic, and
// one dequantized tile of 8 × 8 weights serves four rows; fma is spelled out because there no compiler fuses a product
// and a sum (10 to 30 % of a pass). Row tails read the last row again and write nothing.
override LAYOUT: u32 = 0u;
override HALVES: bool = false;
override WG: u32 = 8u;

const ROWS = 4u;

struct Params {
  rows: u32,
  K: u32,       // inputs, a multiple of 4 (of 32 in the quantized layouts)
  N: u32,       // outputs of this part
  Np: u32,      // N rounded up to a multiple of 8
  n0: u32,      // first output of this part in a row of y or dY
  stride: u32,  // elements in a row of y or dY, in backward a multiple of 4
  accumulate: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> words: array<vec4u>;
@group(0) @binding(2) var<storage, read> scales: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;

#import shared/weights

// Weights k…k+7 of outputs n…n+3 before scaling: element i holds weight k+i of the four outputs.
fn load_8x4(k: u32, n: u32) -> array<vec4f, 8> {
  var w: array<vec4f, 8>;
  if (LAYOUT <= 1u) {
    let word = words[((k / 8u) * p.Np + n) / 4u];
    for (var i = 0u; i < 8u; i++) {
      w[i] = vec4f((word >> vec4u(4u * i)) & vec4u(15u));
    }
  } else if (LAYOUT == 2u) {
    let first = bitcast<vec4i>(words[((k / 4u) * p.Np + n) / 4u]);
    let last = bitcast<vec4i>(words[((k / 4u + 1u) * p.Np + n) / 4u]);
    for (var i = 0u; i < 4u; i++) {
      w[i] = vec4f((first << vec4u(24u - 8u * i)) >> vec4u(24u));
      w[i + 4u] = vec4f((last << vec4u(24u - 8u * i)) >> vec4u(24u));
    }
  } else {
    for (var i = 0u; i < 8u; i++) {
      // K may end inside a step of 8; what lies past it must not meet the next row's x.
      w[i] = select(vec4f(0.0), bitcast<vec4f>(words[(min(k + i, p.K - 1u) * p.Np + n) / 4u]), k + i < p.K);
    }
  }
  return w;
}

// The same, dequantized.
fn weights_8x4(k: u32, n: u32, s: ScaleMin) -> array<vec4f, 8> {
  var w = load_8x4(k, n);
  if (LAYOUT != 3u) {
    for (var i = 0u; i < 8u; i++) {
      w[i] = w[i] * s.scale + s.low;
    }
  }
  return w;
}

fn dot_8x4(u: vec4f, v: vec4f, w: array<vec4f, 8>) -> vec4f {
  let first = fma(vec4f(u.w), w[3], fma(vec4f(u.z), w[2], fma(vec4f(u.y), w[1], u.x * w[0])));
  return fma(vec4f(v.w), w[7], fma(vec4f(v.z), w[6], fma(vec4f(v.y), w[5], fma(vec4f(v.x), w[4], first))));
}

fn store(row: u32, n: u32, value: vec4f) {
  for (var j = 0u; j < 4u; j++) {
    if (n + j < p.N) {
      let at = row * p.stride + p.n0 + n + j;
      y[at] = select(0.0, y[at], p.accumulate == 1u) + value[j];
    }
  }
}

// Each invocation: ROWS rows × 8 outputs.
@compute @workgroup_size(WG)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x * 8u;
  let row = id.y * ROWS;
  if (n >= p.Np) {
    return;
  }
  var left: array<vec4f, ROWS>;
  var right: array<vec4f, ROWS>;
  var base: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    base[r] = min(row + r, p.rows - 1u) * (p.K / 4u);
  }
  let shared_inputs = select(32u, 16u, HALVES); // inputs that share a scale
  for (var k0 = 0u; k0 < p.K; k0 += shared_inputs) {
    let s0 = scale_min4(k0, n, p.K, p.Np);
    let s1 = scale_min4(k0, n + 4u, p.K, p.Np);
    for (var k = k0; k < min(k0 + shared_inputs, p.K); k += 8u) {
      let a = weights_8x4(k, n, s0);
      let b = weights_8x4(k, n + 4u, s1);
      for (var r = 0u; r < ROWS; r++) {
        let u = x[base[r] + k / 4u];
        let v = x[base[r] + k / 4u + 1u];
        left[r] += dot_8x4(u, v, a);
        right[r] += dot_8x4(u, v, b);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    if (row + r < p.rows) {
      store(row + r, n, left[r]);
      store(row + r, n + 4u, right[r]);
    }
  }
}

// One row (decoding): each invocation 1 row × 4 outputs.
@compute @workgroup_size(WG)
fn forward_row(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x * 4u;
  let row = id.y;
  if (n >= p.Np) {
    return;
  }
  var sum = vec4f(0.0);
  let base = row * (p.K / 4u);
  let shared_inputs = select(32u, 16u, HALVES); // inputs that share a scale
  for (var k0 = 0u; k0 < p.K; k0 += shared_inputs) {
    let s = scale_min4(k0, n, p.K, p.Np);
    for (var k = k0; k < min(k0 + shared_inputs, p.K); k += 8u) {
      sum += dot_8x4(x[base + k / 4u], x[base + k / 4u + 1u], weights_8x4(k, n, s));
    }
  }
  store(row, n, sum);
}

// Weights k…k+7 of outputs n…n+3, dequantized, transposed: element 2j holds k…k+3 of output n+j, 2j+1 holds k+4…k+7.
fn weights_4x8(k: u32, n: u32, s: ScaleMin) -> array<vec4f, 8> {
  var w: array<vec4f, 8>;
  if (LAYOUT <= 1u) {
    let word = words[((k / 8u) * p.Np + n) / 4u];
    for (var j = 0u; j < 4u; j++) {
      w[2u * j] = vec4f((vec4u(word[j]) >> vec4u(0u, 4u, 8u, 12u)) & vec4u(15u)) * s.scale[j] + s.low[j];
      w[2u * j + 1u] = vec4f((vec4u(word[j]) >> vec4u(16u, 20u, 24u, 28u)) & vec4u(15u)) * s.scale[j] + s.low[j];
    }
  } else if (LAYOUT == 2u) {
    let first = bitcast<vec4i>(words[((k / 4u) * p.Np + n) / 4u]);
    let last = bitcast<vec4i>(words[((k / 4u + 1u) * p.Np + n) / 4u]);
    let up = vec4u(24u, 16u, 8u, 0u);
    for (var j = 0u; j < 4u; j++) {
      w[2u * j] = vec4f((vec4i(first[j]) << up) >> vec4u(24u)) * s.scale[j] + s.low[j];
      w[2u * j + 1u] = vec4f((vec4i(last[j]) << up) >> vec4u(24u)) * s.scale[j] + s.low[j];
    }
  } else {
    let t = load_8x4(k, n);
    for (var j = 0u; j < 4u; j++) {
      w[2u * j] = vec4f(t[0][j], t[1][j], t[2][j], t[3][j]);
      w[2u * j + 1u] = vec4f(t[4][j], t[5][j], t[6][j], t[7][j]);
    }
  }
  return w;
}

// Each invocation: ROWS rows × 8 inputs, four outputs at a time from the same words as forward.
// Padding outputs (N ≤ n < Np) have zero weights; rows of dY are a multiple of 4 long.
@compute @workgroup_size(WG)
fn backward(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x * 8u;
  let row = id.y * ROWS;
  if (k >= p.K) {
    return;
  }
  var lo: array<vec4f, ROWS>;
  var hi: array<vec4f, ROWS>;
  var base: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    base[r] = (min(row + r, p.rows - 1u) * p.stride + p.n0) / 4u;
  }
  for (var n = 0u; n < p.N; n += 4u) {
    let w = weights_4x8(k, n, scale_min4(k, n, p.K, p.Np));
    for (var r = 0u; r < ROWS; r++) {
      let d = dy[base[r] + n / 4u];
      // Four products are summed before they meet the large sum: a quarter of its rounding errors.
      lo[r] += fma(vec4f(d.w), w[6], fma(vec4f(d.z), w[4], fma(vec4f(d.y), w[2], d.x * w[0])));
      hi[r] += fma(vec4f(d.w), w[7], fma(vec4f(d.z), w[5], fma(vec4f(d.y), w[3], d.x * w[1])));
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    if (row + r < p.rows) {
      let at = ((row + r) * p.K + k) / 4u;
      let add = p.accumulate == 1u; // not a product with 0: what is overwritten may be NaN
      dx[at] = select(vec4f(0.0), dx[at], add) + lo[r];
      if (k + 4u < p.K) {
        dx[at + 1u] = select(vec4f(0.0), dx[at + 1u], add) + hi[r];
      }
    }
  }
}
