// What the families of linear kernels share: parameters, bindings of both directions, and how outputs are written.
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

// Four outputs of a row from n, as far as they exist. A branch on `accumulate`: select() would read y where nothing is added
// (4 to 11 % of forward's time on lavapipe), and in a product with 0 what is overwritten may be NaN.
fn store(row: u32, n: u32, value: vec4f) {
  for (var j = 0u; j < 4u; j++) {
    if (n + j < p.N) {
      let at = row * p.stride + p.n0 + n + j;
      if (p.accumulate == 1u) {
        y[at] += value[j];
      } else {
        y[at] = value[j];
      }
    }
  }
}

// The same of dx, four inputs at a time.
fn store_dx(at: u32, value: vec4f) {
  if (p.accumulate == 1u) {
    dx[at] += value;
  } else {
    dx[at] = value;
  }
}
