// Attention probabilities of some query rows and heads, from q and k after RoPE (Vaswani et al. 2017, Eq. 1): what
// shaders/attention.wgsl sums over without keeping it. Of one sequence: row t attends to the keys 0 … t.
// q: (T, NH·D); k: (T, KVH·D); head h reads key head h / (NH/KVH). asked: first `rows` query rows, then `heads` heads.
//   lse      known[i, n] = log Σ_j exp(scale·q·k_j)                          (rows, heads)
//   weights  P[n, i, j] = exp(scale·q·k_j − known[i, n]), 0 past the row     (heads, rows, keys), the first `keys` keys
//   mean     M[i, j] = mean of P[n, i, j] over the heads asked             (rows, keys)
//   mass     out[first + (s·rows + i)·heads + n] = Σ P[n, i, j] over the keys j of set s: members[starts[s]] …
// weights and mean each take one key an invocation, lse and mass one head.
override WG: u32 = 64u;

const LOWEST = -1e30; // as in attention.wgsl

struct Params { rows: u32, heads: u32, keys: u32, sets: u32, first: u32, NH: u32, KVH: u32, D: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> k: array<vec4f>;
@group(0) @binding(2) var<storage, read> asked: array<u32>;

@group(0) @binding(3) var<storage, read_write> sums: array<f32>; // lse
@group(0) @binding(4) var<uniform> p: Params;

@group(0) @binding(3) var<storage, read> known: array<f32>; // lse, of the other three
@group(0) @binding(4) var<storage, read_write> probabilities: array<f32>; // weights, mean
@group(0) @binding(5) var<uniform> pw: Params;

@group(0) @binding(4) var<storage, read> starts: array<u32>; // mass: (sets + 1)
@group(0) @binding(5) var<storage, read> members: array<u32>;
@group(0) @binding(6) var<storage, read_write> masses: array<f32>;
@group(0) @binding(7) var<uniform> pm: Params;

fn score(row: u32, head: u32, key: u32, NH: u32, KVH: u32, D: u32) -> f32 {
  let d4 = D / 4u;
  let query = (row * NH + head) * d4;
  let at = (key * KVH + head / (NH / KVH)) * d4;
  var sum = 0.0;
  for (var c = 0u; c < d4; c++) {
    sum += dot(q[query + c], k[at + c]);
  }
  return sum;
}

@compute @workgroup_size(WG)
fn lse(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x / p.heads;
  if (i >= p.rows) {
    return;
  }
  let row = asked[i];
  let head = asked[p.rows + id.x % p.heads];
  var top = LOWEST;
  var total = 0.0;
  for (var j = 0u; j <= row; j++) {
    let value = p.scale * score(row, head, j, p.NH, p.KVH, p.D);
    let newTop = max(top, value);
    total = total * exp(top - newTop) + exp(value - newTop);
    top = newTop;
  }
  sums[id.x] = top + log(total);
}

fn probability(i: u32, n: u32, key: u32) -> f32 {
  let row = asked[i];
  if (key > row) {
    return 0.0;
  }
  let head = asked[pw.rows + n];
  return exp(pw.scale * score(row, head, key, pw.NH, pw.KVH, pw.D) - known[i * pw.heads + n]);
}

@compute @workgroup_size(WG)
fn weights(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < pw.keys) {
    probabilities[(id.z * pw.rows + id.y) * pw.keys + id.x] = probability(id.y, id.z, id.x);
  }
}

@compute @workgroup_size(WG)
fn mean(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= pw.keys) {
    return;
  }
  var sum = 0.0;
  for (var n = 0u; n < pw.heads; n++) {
    sum += probability(id.y, n, id.x);
  }
  probabilities[id.y * pw.keys + id.x] = sum / f32(pw.heads);
}

@compute @workgroup_size(WG)
fn mass(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x / pm.heads;
  if (i >= pm.rows) {
    return;
  }
  let n = id.x % pm.heads;
  let row = asked[i];
  let head = asked[pm.rows + n];
  let own = known[id.x];
  var sum = 0.0;
  for (var m = starts[id.y]; m < starts[id.y + 1u]; m++) {
    let key = members[m];
    if (key <= row) {
      sum += exp(pm.scale * score(row, head, key, pm.NH, pm.KVH, pm.D) - own);
    }
  }
  masses[pm.first + (id.y * pm.rows + i) * pm.heads + n] = sum;
}
