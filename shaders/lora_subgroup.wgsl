// The three LoRA products of shaders/lora.wgsl, for adapters whose subgroups have at least eight lanes: where all lanes
// need the same rows, of eight neighbouring lanes each reads another one and shuffles hand them round
// (shaders/linear_subgroup.wgsl says why). Rows are written out one by one for shuffles from lanes known when compiling.
//   down  out (T,R)  = s·drop(x) (T,C)·m (R,C)ᵀ
//   up    out (T,C) += s·drop(h (T,R)·m (R,C))
//   grad  out (R,C) += s·h (T,R)ᵀ·drop(xg (T,C))
// Dropout's index is row·C + column.
enable subgroups;

override WG: u32 = 8u; // a multiple of 8

const ROWS = 8u;
const RANKS = 8u;

#import shared/lora_io

@group(0) @binding(0) var<storage, read> h: array<vec4f>;

fn dot4(a: vec4f, b: vec4f) -> f32 {
  return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, a.x * b.x)));
}

// Each invocation: one row × eight ranks; lane r of eight reads rank r.
@compute @workgroup_size(WG)
fn down(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let row = min(id.x, p.rows - 1u); // rows past the end stay, since others shuffle with them
  let r0 = id.y * RANKS;
  let rank = min(r0 + lane % RANKS, p.R - 1u);
  let c4 = p.C / 4u;
  var low = vec4f(0.0);
  var high = vec4f(0.0);
  for (var c = 0u; c < c4; c++) {
    let v = dropped(x[row * c4 + c], row * p.C + 4u * c);
    let w = m[rank * c4 + c];
    low += vec4f(
      dot4(v, subgroupShuffle(w, 0u)),
      dot4(v, subgroupShuffle(w, 1u)),
      dot4(v, subgroupShuffle(w, 2u)),
      dot4(v, subgroupShuffle(w, 3u)),
    );
    high += vec4f(
      dot4(v, subgroupShuffle(w, 4u)),
      dot4(v, subgroupShuffle(w, 5u)),
      dot4(v, subgroupShuffle(w, 6u)),
      dot4(v, subgroupShuffle(w, 7u)),
    );
  }
  if (id.x < p.rows) {
    let at = (row * p.R + r0) / 4u;
    out[at] = p.scale * low;
    if (r0 + 4u < p.R) {
      out[at + 1u] = p.scale * high;
    }
  }
}

fn up_row(w: array<vec4f, 4>, hidden: vec4f) -> vec4f {
  return fma(vec4f(hidden.w), w[3], fma(vec4f(hidden.z), w[2], fma(vec4f(hidden.y), w[1], hidden.x * w[0])));
}

// Each invocation: eight rows × four columns; lane i of eight reads row i of h.
@compute @workgroup_size(WG)
fn up(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let c4 = p.C / 4u;
  let c = min(id.x, c4 - 1u);
  let first = id.y * ROWS;
  let own = min(first + lane % ROWS, p.rows - 1u);
  var sums: array<vec4f, ROWS>;
  for (var r = 0u; r < p.R; r += 4u) {
    let hidden = h[(own * p.R + r) / 4u];
    let w = array<vec4f, 4>(m[r * c4 + c], m[(r + 1u) * c4 + c], m[(r + 2u) * c4 + c], m[(r + 3u) * c4 + c]);
    sums[0] += up_row(w, subgroupShuffle(hidden, 0u));
    sums[1] += up_row(w, subgroupShuffle(hidden, 1u));
    sums[2] += up_row(w, subgroupShuffle(hidden, 2u));
    sums[3] += up_row(w, subgroupShuffle(hidden, 3u));
    sums[4] += up_row(w, subgroupShuffle(hidden, 4u));
    sums[5] += up_row(w, subgroupShuffle(hidden, 5u));
    sums[6] += up_row(w, subgroupShuffle(hidden, 6u));
    sums[7] += up_row(w, subgroupShuffle(hidden, 7u));
  }
  for (var i = 0u; i < ROWS; i++) {
    if (first + i < p.rows && id.x < c4) {
      out[(first + i) * c4 + c] += p.scale * dropped(sums[i], (first + i) * p.C + 4u * c);
    }
  }
}

alias Ranks = array<vec4f, 8>;

fn grad_row(sums: ptr<function, Ranks>, i: u32, row: u32, c: u32, low: vec4f, high: vec4f) {
  let at = min(row + i, p.rows - 1u);
  let v = dropped(xg[at * (p.C / 4u) + c], at * p.C + 4u * c);
  let a = subgroupShuffle(low, i);
  let b = subgroupShuffle(high, i);
  (*sums)[0] = fma(vec4f(a.x), v, (*sums)[0]);
  (*sums)[1] = fma(vec4f(a.y), v, (*sums)[1]);
  (*sums)[2] = fma(vec4f(a.z), v, (*sums)[2]);
  (*sums)[3] = fma(vec4f(a.w), v, (*sums)[3]);
  (*sums)[4] = fma(vec4f(b.x), v, (*sums)[4]);
  (*sums)[5] = fma(vec4f(b.y), v, (*sums)[5]);
  (*sums)[6] = fma(vec4f(b.z), v, (*sums)[6]);
  (*sums)[7] = fma(vec4f(b.w), v, (*sums)[7]);
}

// Each invocation: eight ranks × four columns, over all rows; lane i of eight reads row i of each eight rows of h.
@compute @workgroup_size(WG)
fn grad(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let c4 = p.C / 4u;
  let c = min(id.x, c4 - 1u);
  let r0 = id.y * RANKS;
  let more = r0 + 4u < p.R;
  var sums: Ranks;
  for (var row = 0u; row < p.rows; row += ROWS) {
    let own = row + lane % ROWS;
    let at = (min(own, p.rows - 1u) * p.R + r0) / 4u;
    // Rows past the end read the last one again, with weight 0.
    let low = select(vec4f(0.0), h[at], own < p.rows);
    let high = select(vec4f(0.0), h[at + select(0u, 1u, more)], more && own < p.rows);
    grad_row(&sums, 0u, row, c, low, high);
    grad_row(&sums, 1u, row, c, low, high);
    grad_row(&sums, 2u, row, c, low, high);
    grad_row(&sums, 3u, row, c, low, high);
    grad_row(&sums, 4u, row, c, low, high);
    grad_row(&sums, 5u, row, c, low, high);
    grad_row(&sums, 6u, row, c, low, high);
    grad_row(&sums, 7u, row, c, low, high);
  }
  for (var i = 0u; i < RANKS; i++) {
    if (id.x < c4 && r0 + i < p.R) {
      out[(r0 + i) * c4 + c] += p.scale * sums[i];
    }
  }
}
