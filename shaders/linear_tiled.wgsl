// Quantized linear layer, both directions, with linear.wgsl's bindings and parameters, for GPUs: a workgroup dequantizes
// a tile of weights once into workgroup memory, puts the tile of x or dY beside it, and every invocation reads both from
// there into a tile of 8 rows × 4 columns in registers. Sums run over the inputs one by one, in f32.
// Workgroup memory: STEP · (8·WG_Y + 4·WG_X) · 4 bytes, at most the 16 KiB that WebGPU guarantees.
override LAYOUT: u32 = 0u;
override HALVES: bool = false;
override WG_X: u32 = 16u; // invocations along the columns (forward: outputs, backward: inputs), an even number
override WG_Y: u32 = 8u;  // invocations along the rows
override STEP: u32 = 32u; // inputs (backward: outputs) a tile holds: 8, 16 or 32, since quantized K is a multiple of 32

const ROWS = 8u;

#import shared/linear_io

// Four rows at one step of the sum in a vector, [step][row / 4]: an invocation's rows are two vectors. Whole vectors are
// written, since writing one component may touch the others.
var<workgroup> left: array<vec4f, STEP * 2u * WG_Y>;
// Four columns in a vector, [step][column / 4].
var<workgroup> weights: array<vec4f, STEP * WG_X>;

#import shared/weights

// Four values of each of four rows to the transposed tile.
fn put_rows(step: u32, rows4: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    left[(step + i) * (2u * WG_Y) + rows4] = vec4f(a[i], b[i], c[i], d[i]);
  }
}

fn add_tile(sums: ptr<function, array<vec4f, ROWS>>, tile: vec2u) {
  for (var step = 0u; step < STEP; step++) {
    let w = weights[step * WG_X + tile.x];
    let at = step * (2u * WG_Y) + 2u * tile.y;
    let a = left[at];
    let b = left[at + 1u];
    for (var r = 0u; r < 4u; r++) {
      (*sums)[r] = fma(vec4f(a[r]), w, (*sums)[r]);
      (*sums)[r + 4u] = fma(vec4f(b[r]), w, (*sums)[r + 4u]);
    }
  }
}

fn x4(row: u32, k: u32) -> vec4f {
  // K may end inside a tile; what lies past it may be NaN, and its zero weight would not hide that.
  let value = x[(min(row, p.rows - 1u) * p.K + min(k, p.K - 4u)) / 4u];
  return select(vec4f(0.0), value, k < p.K);
}

fn dy4(row: u32, n: u32) -> vec4f {
  let value = dy[(min(row, p.rows - 1u) * p.stride + p.n0 + min(n, (p.N - 1u) & ~3u)) / 4u];
  return select(vec4f(0.0), value, n < p.N);
}

// A workgroup: 8·WG_Y rows × 4·WG_X outputs.
@compute @workgroup_size(WG_X, WG_Y)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let row0 = group.y * ROWS * WG_Y;
  let column0 = group.x * 4u * WG_X;
  let invocations = WG_X * WG_Y;
  var sums: array<vec4f, ROWS>;
  for (var k0 = 0u; k0 < p.K; k0 += STEP) {
    // Neighbouring invocations take neighbouring vectors of a row.
    for (var i = index; i < STEP * WG_Y / 2u; i += invocations) {
      let step = 4u * (i % (STEP / 4u));
      let rows4 = i / (STEP / 4u);
      let row = row0 + 4u * rows4;
      let k = k0 + step;
      put_rows(step, rows4, x4(row, k), x4(row + 1u, k), x4(row + 2u, k), x4(row + 3u, k));
    }
    for (var i = index; i < STEP * WG_X / 8u; i += invocations) {
      let column4 = i % WG_X;
      let step = 8u * (i / WG_X);
      let k = k0 + step;
      let n = min(column0 + 4u * column4, p.Np - 4u); // sums past the end are not stored
      let w = weights_8x4(k, n, scale_min4(k, n, p.K, p.Np), p.K, p.Np);
      for (var j = 0u; j < 8u; j++) {
        weights[(step + j) * WG_X + column4] = w[j];
      }
    }
    workgroupBarrier();
    add_tile(&sums, local.xy);
    workgroupBarrier();
  }
  for (var r = 0u; r < ROWS; r++) {
    let row = row0 + ROWS * local.y + r;
    if (row < p.rows) {
      store(row, column0 + 4u * local.x, sums[r]);
    }
  }
}

// A workgroup: 8·WG_Y rows × 4·WG_X inputs.
// Padding outputs (N ≤ n < Np) have zero weights; rows of dY are a multiple of 4 long.
@compute @workgroup_size(WG_X, WG_Y)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let row0 = group.y * ROWS * WG_Y;
  let column0 = group.x * 4u * WG_X;
  let invocations = WG_X * WG_Y;
  var sums: array<vec4f, ROWS>;
  for (var n0 = 0u; n0 < p.N; n0 += STEP) {
    for (var i = index; i < STEP * WG_Y / 2u; i += invocations) {
      let step = 4u * (i % (STEP / 4u));
      let rows4 = i / (STEP / 4u);
      let row = row0 + 4u * rows4;
      let n = n0 + step;
      put_rows(step, rows4, dy4(row, n), dy4(row + 1u, n), dy4(row + 2u, n), dy4(row + 3u, n));
    }
    for (var i = index; i < STEP * WG_X / 8u; i += invocations) {
      // Words lie along the outputs, so that neighbours in a workgroup take neighbouring outputs.
      let step = 4u * (i % (STEP / 4u));
      let column8 = i / (STEP / 4u);
      let n = min(n0 + step, p.Np - 4u); // what lies past the end meets the zeros of dy4
      let k = min(column0 + 8u * column8, (p.K - 1u) & ~7u);
      let w = weights_4x8(k, n, scale_min4(k, n, p.K, p.Np), p.K, p.Np);
      for (var j = 0u; j < 4u; j++) {
        let at = (step + j) * WG_X + 2u * column8;
        weights[at] = w[2u * j];
        weights[at + 1u] = w[2u * j + 1u];
      }
    }
    workgroupBarrier();
    add_tile(&sums, local.xy);
    workgroupBarrier();
  }
  let k = column0 + 4u * local.x;
  for (var r = 0u; r < ROWS; r++) {
    let row = row0 + ROWS * local.y + r;
    if (row < p.rows && k < p.K) {
      let at = (row * p.K + k) / 4u;
      // Not a product with 0: what is overwritten may be NaN.
      dx[at] = select(vec4f(0.0), dx[at], p.accumulate == 1u) + sums[r];
    }
  }
}
