// What linear layers through tiles in workgroup memory share, whatever the tiles hold: a workgroup dequantizes a tile of
// weights once, puts the tile of x or dY beside it, and every invocation reads both from there into a tile of 8 rows ×
// 4 columns of f32 sums in registers.
// The importing shader has the overrides WG_X (invocations along the columns, forward: outputs, backward: inputs; an even
// number), WG_Y (along the rows) and STEP (inputs, backward: outputs, that a tile holds: 8, 16 or 32, since quantized K is
// a multiple of 32), RUN (steps of a row that are put at once, 4 or 8), the type Tile4, and the functions
//   put_rows  RUN steps of each of four rows to the transposed tile
//   tiled     four weights as the tile has them
//   add_tile  the products of both tiles, to the sums
override LAYOUT: u32 = 0u;
override HALVES: bool = false;

const ROWS = 8u;
alias Sums = array<vec4f, ROWS>;
alias Run = array<vec4f, RUN / 4u>;

#import shared/linear_io

// Four rows at one step of the sum in a vector, [step][row / 4]: an invocation's rows are two vectors. Whole vectors are
// written, since writing one component may touch the others.
var<workgroup> left: array<Tile4, STEP * 2u * WG_Y>;
// Four columns in a vector, [step][column / 4].
var<workgroup> weights: array<Tile4, STEP * WG_X>;

#import shared/weights

fn x4(row: u32, k: u32) -> vec4f {
  // K may end inside a tile; what lies past it may be NaN, and its zero weight would not hide that.
  let value = x[(min(row, p.rows - 1u) * p.K + min(k, p.K - 4u)) / 4u];
  return select(vec4f(0.0), value, k < p.K);
}

fn dy4(row: u32, n: u32) -> vec4f {
  let value = dy[(min(row, p.rows - 1u) * p.stride + p.n0 + min(n, (p.N - 1u) & ~3u)) / 4u];
  return select(vec4f(0.0), value, n < p.N);
}

fn x_run(row: u32, k: u32) -> Run {
  var run: Run;
  for (var i = 0u; i < RUN / 4u; i++) {
    run[i] = x4(row, k + 4u * i);
  }
  return run;
}

fn dy_run(row: u32, n: u32) -> Run {
  var run: Run;
  for (var i = 0u; i < RUN / 4u; i++) {
    run[i] = dy4(row, n + 4u * i);
  }
  return run;
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
  var sums: Sums;
  for (var k0 = 0u; k0 < p.K; k0 += STEP) {
    // Neighbouring invocations take neighbouring vectors of a row.
    for (var i = index; i < STEP * 2u * WG_Y / RUN; i += invocations) {
      let step = RUN * (i % (STEP / RUN));
      let rows4 = i / (STEP / RUN);
      let row = row0 + 4u * rows4;
      let k = k0 + step;
      put_rows(step, rows4, x_run(row, k), x_run(row + 1u, k), x_run(row + 2u, k), x_run(row + 3u, k));
    }
    for (var i = index; i < STEP * WG_X / 8u; i += invocations) {
      let column4 = i % WG_X;
      let step = 8u * (i / WG_X);
      let k = k0 + step;
      let n = min(column0 + 4u * column4, p.Np - 4u); // sums past the end are not stored
      let w = weights_8x4(k, n, scale_min4(k, n, p.K, p.Np), p.K, p.Np);
      for (var j = 0u; j < 8u; j++) {
        weights[(step + j) * WG_X + column4] = tiled(w[j]);
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
  var sums: Sums;
  for (var n0 = 0u; n0 < p.N; n0 += STEP) {
    for (var i = index; i < STEP * 2u * WG_Y / RUN; i += invocations) {
      let step = RUN * (i % (STEP / RUN));
      let rows4 = i / (STEP / RUN);
      let row = row0 + 4u * rows4;
      let n = n0 + step;
      put_rows(step, rows4, dy_run(row, n), dy_run(row + 1u, n), dy_run(row + 2u, n), dy_run(row + 3u, n));
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
        weights[at] = tiled(w[2u * j]);
        weights[at + 1u] = tiled(w[2u * j + 1u]);
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
      store_dx((row * p.K + k) / 4u, sums[r]);
    }
  }
}
