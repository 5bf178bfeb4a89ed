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

#import shared/linear_io
#import shared/weights

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
      let a = weights_8x4(k, n, s0, p.K, p.Np);
      let b = weights_8x4(k, n + 4u, s1, p.K, p.Np);
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
      sum += dot_8x4(x[base + k / 4u], x[base + k / 4u + 1u], weights_8x4(k, n, s, p.K, p.Np));
    }
  }
  store(row, n, sum);
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
    let w = weights_4x8(k, n, scale_min4(k, n, p.K, p.Np), p.K, p.Np);
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
      store_dx(at, lo[r]);
      if (k + 4u < p.K) {
        store_dx(at + 1u, hi[r]);
      }
    }
  }
}
