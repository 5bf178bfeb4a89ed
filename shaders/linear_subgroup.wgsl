// Quantized linear layer, both directions, as shaders/linear.wgsl has it (same sums, bit for bit), for adapters whose
// subgroups have at least eight lanes. Each invocation owns 8 rows × 8 columns in registers.
// On a software adapter a storage load costs as much as ten vector multiply-adds, also where all lanes read the same word:
// so of eight neighbouring lanes each reads another row, and the rows reach the others through shuffles. The rows are
// written out one by one because a shuffle from a lane known when compiling is a permutation in registers.
enable subgroups;

override LAYOUT: u32 = 0u;
override HALVES: bool = false;
override WG: u32 = 8u; // a multiple of 8

const ROWS = 8u;

#import shared/linear_io
#import shared/weights

// Of row r: columns 0…3 of the tile at 2r, columns 4…7 at 2r + 1.
alias Tile = array<vec4f, 16>;

fn add_row8(sums: ptr<function, Tile>, r: u32, u: vec4f, v: vec4f, left: array<vec4f, 8>, right: array<vec4f, 8>) {
  let ur = subgroupShuffle(u, r);
  let vr = subgroupShuffle(v, r);
  (*sums)[2u * r] += dot_8x4(ur, vr, left);
  (*sums)[2u * r + 1u] += dot_8x4(ur, vr, right);
}

// sums[r] += (u, v) of lane r · the weights of eight inputs: left of columns 0…3, right of columns 4…7.
fn add_rows8(sums: ptr<function, Tile>, u: vec4f, v: vec4f, left: array<vec4f, 8>, right: array<vec4f, 8>) {
  add_row8(sums, 0u, u, v, left, right);
  add_row8(sums, 1u, u, v, left, right);
  add_row8(sums, 2u, u, v, left, right);
  add_row8(sums, 3u, u, v, left, right);
  add_row8(sums, 4u, u, v, left, right);
  add_row8(sums, 5u, u, v, left, right);
  add_row8(sums, 6u, u, v, left, right);
  add_row8(sums, 7u, u, v, left, right);
}

fn add_row4(sums: ptr<function, Tile>, r: u32, u: vec4f, w: array<vec4f, 8>) {
  let d = subgroupShuffle(u, r);
  // Four products are summed before they meet the large sum: a quarter of its rounding errors.
  (*sums)[2u * r] += fma(vec4f(d.w), w[6], fma(vec4f(d.z), w[4], fma(vec4f(d.y), w[2], d.x * w[0])));
  (*sums)[2u * r + 1u] += fma(vec4f(d.w), w[7], fma(vec4f(d.z), w[5], fma(vec4f(d.y), w[3], d.x * w[1])));
}

// sums[r] += u of lane r · the weights of four outputs, as weights_4x8 gives them.
fn add_rows4(sums: ptr<function, Tile>, u: vec4f, w: array<vec4f, 8>) {
  add_row4(sums, 0u, u, w);
  add_row4(sums, 1u, u, w);
  add_row4(sums, 2u, u, w);
  add_row4(sums, 3u, u, w);
  add_row4(sums, 4u, u, w);
  add_row4(sums, 5u, u, w);
  add_row4(sums, 6u, u, w);
  add_row4(sums, 7u, u, w);
}

@compute @workgroup_size(WG)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  // Invocations past the end stay, since others shuffle with them, and write nothing.
  let n = min(id.x * 8u, p.Np - 8u);
  let first = id.y * ROWS;
  let row = min(first + lane % ROWS, p.rows - 1u);
  let base = row * (p.K / 4u);
  var sums: Tile;
  let shared_inputs = select(32u, 16u, HALVES); // inputs that share a scale
  for (var k0 = 0u; k0 < p.K; k0 += shared_inputs) {
    let s0 = scale_min4(k0, n, p.K, p.Np);
    let s1 = scale_min4(k0, n + 4u, p.K, p.Np);
    for (var k = k0; k < min(k0 + shared_inputs, p.K); k += 8u) {
      let left = weights_8x4(k, n, s0, p.K, p.Np);
      let right = weights_8x4(k, n + 4u, s1, p.K, p.Np);
      add_rows8(&sums, x[base + k / 4u], x[base + k / 4u + 1u], left, right);
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    if (first + r < p.rows && id.x * 8u < p.Np) {
      store(first + r, n, sums[2u * r]);
      store(first + r, n + 4u, sums[2u * r + 1u]);
    }
  }
}

// One row (decoding): each invocation 1 row × 4 outputs. Eight lanes read 64 inputs of the row together.
@compute @workgroup_size(WG)
fn forward_row(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let n = min(id.x * 4u, p.Np - 4u);
  let row = id.y;
  let base = row * (p.K / 4u);
  var sum = vec4f(0.0);
  let shared_inputs = select(32u, 16u, HALVES);
  var s = scale_min4(0u, n, p.K, p.Np);
  for (var k0 = 0u; k0 < p.K; k0 += 64u) {
    let at = min(k0 + 8u * (lane % 8u), p.K - 1u) / 4u;
    let u = x[base + at];
    let v = x[base + at + 1u];
    for (var k = k0; k < min(k0 + 64u, p.K); k += 8u) {
      if (k % shared_inputs == 0u) {
        s = scale_min4(k, n, p.K, p.Np);
      }
      let holder = (k - k0) / 8u;
      sum += dot_8x4(subgroupShuffle(u, holder), subgroupShuffle(v, holder), weights_8x4(k, n, s, p.K, p.Np));
    }
  }
  if (id.x * 4u < p.Np) {
    store(row, n, sum);
  }
}

// Two to four rows (decoding): each invocation 4 rows × 4 outputs. Eight lanes hold eight inputs of the four rows.
@compute @workgroup_size(WG)
fn forward_four(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let n = min(id.x * 4u, p.Np - 4u);
  let first = id.y * 4u;
  let own = min(first + (lane % 8u) / 2u, p.rows - 1u) * (p.K / 4u) + lane % 2u;
  var sums: array<vec4f, 4>;
  let shared_inputs = select(32u, 16u, HALVES);
  for (var k0 = 0u; k0 < p.K; k0 += shared_inputs) {
    let s = scale_min4(k0, n, p.K, p.Np);
    for (var k = k0; k < min(k0 + shared_inputs, p.K); k += 8u) {
      let held = x[own + k / 4u];
      let w = weights_8x4(k, n, s, p.K, p.Np);
      sums[0] += dot_8x4(subgroupShuffle(held, 0u), subgroupShuffle(held, 1u), w);
      sums[1] += dot_8x4(subgroupShuffle(held, 2u), subgroupShuffle(held, 3u), w);
      sums[2] += dot_8x4(subgroupShuffle(held, 4u), subgroupShuffle(held, 5u), w);
      sums[3] += dot_8x4(subgroupShuffle(held, 6u), subgroupShuffle(held, 7u), w);
    }
  }
  for (var r = 0u; r < 4u; r++) {
    if (first + r < p.rows && id.x * 4u < p.Np) {
      store(first + r, n, sums[r]);
    }
  }
}

// Scales of four outputs for the eight inputs from k. Four neighbouring lanes share the 32-block, so each decodes one.
fn shared_scales(k: u32, n: u32, lane: u32) -> ScaleMin {
  if (LAYOUT == 3u) {
    return ScaleMin(vec4f(1.0), vec4f(0.0));
  }
  let pair = scale_pair(k, n + lane % 4u, p.K, p.Np);
  let four = lane & ~3u;
  let a = vec4f(
    subgroupShuffle(pair.x, four),
    subgroupShuffle(pair.x, four + 1u),
    subgroupShuffle(pair.x, four + 2u),
    subgroupShuffle(pair.x, four + 3u),
  );
  let b = vec4f(
    subgroupShuffle(pair.y, four),
    subgroupShuffle(pair.y, four + 1u),
    subgroupShuffle(pair.y, four + 2u),
    subgroupShuffle(pair.y, four + 3u),
  );
  if (HALVES) {
    return ScaleMin(select(a, b, (k & 16u) != 0u), vec4f(0.0));
  }
  return ScaleMin(a, b);
}

// Padding outputs (N ≤ n < Np) have zero weights; rows of dY are a multiple of 4 long.
@compute @workgroup_size(WG)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let k = min(id.x * 8u, (p.K - 1u) & ~7u);
  let first = id.y * ROWS;
  let row = min(first + lane % ROWS, p.rows - 1u);
  let base = (row * p.stride + p.n0) / 4u;
  var sums: Tile;
  for (var n = 0u; n < p.N; n += 4u) {
    let w = weights_4x8(k, n, shared_scales(k, n, lane), p.K, p.Np);
    add_rows4(&sums, dy[base + n / 4u], w);
  }
  for (var r = 0u; r < ROWS; r++) {
    if (first + r < p.rows && id.x * 8u < p.K) {
      let at = ((first + r) * p.K + k) / 4u;
      store_dx(at, sums[2u * r]);
      if (k + 4u < p.K) {
        store_dx(at + 1u, sums[2u * r + 1u]);
      }
    }
  }
}
