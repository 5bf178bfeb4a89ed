// Grouped-query causal attention without keeping T×T (Dao et al. 2022: online softmax; backward from lse).
// q, o: (T, NH·D); k, v: (keys, KVH·D); stats: (T, NH) of (lse, delta). Head h reads key/value head h / (NH/KVH).
// The rows are a forest of nodes, depth first (src/model/rowTree.ts). segments[t] = (first, end, parent, users): row t
// attends to the keys first … end − 1, its own the last, and, climbing, to those of the entry `parent`, which lies behind
// the rows' entries; the rows t … users − 1 attend to row t. In decoding the keys are slots of the cache.
//   forward      o = softmax(q·kᵀ·scale)·v,  lse = log Σ exp
//   backward_q   delta = dO·O;  dS = P∘(dO·vᵀ − delta);  dQ = scale·dS·k           (writes dq and delta)
//   backward_kv  dV = Pᵀ·dO;  dK = scale·dSᵀ·q, summed over the heads of the group  (writes dk and dv)
// Each invocation owns one row of one head in registers; keys go by in steps of four, one rescaling a step.
// Head size fixed when compiling, so that a GPU unrolls its loops and keeps rows in registers; 0: read from Params.
// lavapipe takes 0: LLVM needs half a minute for each unrolled pipeline (1.4 s with a loop), which then runs no faster.
override D: u32 = 0u;
override WG: u32 = 8u;

const MAX_D4 = 32u;
const NONE = 0xffffffffu; // above a root
// Below every score, and far enough from f32's end that no difference or product inside exp overflows: WGSL lets a
// compiler assume that nothing does.
const LOWEST = -1e30;

struct Params { rows: u32, heads: u32, kvHeads: u32, D: u32, scale: f32 } // D: a multiple of 4, at most 128

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> k: array<vec4f>;
@group(0) @binding(2) var<storage, read> v: array<vec4f>;
@group(0) @binding(3) var<storage, read> segments: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> stats: array<vec2f>;

@group(0) @binding(4) var<storage, read_write> o: array<vec4f>; // forward
@group(0) @binding(6) var<uniform> p: Params;

@group(0) @binding(4) var<storage, read> o_saved: array<vec4f>; // backward_q
@group(0) @binding(6) var<storage, read> d_o: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dq: array<vec4f>;
@group(0) @binding(8) var<uniform> pb: Params; // both backward passes

@group(0) @binding(4) var<storage, read> d_out: array<vec4f>; // backward_kv
@group(0) @binding(5) var<storage, read> stats_saved: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> dk: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dv: array<vec4f>;

@compute @workgroup_size(WG)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  let head = id.y;
  if (row >= p.rows) {
    return;
  }
  let d4 = select(D, p.D, D == 0u) / 4u;
  let kvStride = p.kvHeads * d4;
  let kvHead = (head / (p.heads / p.kvHeads)) * d4;
  let at = (row * p.heads + head) * d4;
  var query: array<vec4f, MAX_D4>;
  var sum: array<vec4f, MAX_D4>;
  for (var c = 0u; c < d4; c++) {
    query[c] = q[at + c] * p.scale;
    sum[c] = vec4f(0.0);
  }
  var top = LOWEST;
  var total = 0.0;
  for (var entry = row; entry != NONE; entry = segments[entry].z) {
  let end = segments[entry].y;
  for (var i = segments[entry].x; i < end; i += 4u) {
    var scores = vec4f(0.0);
    // Keys past the last read it again with weight 0.
    let four = vec4u(i, i + 1u, i + 2u, i + 3u);
    let keys = min(four, vec4u(end - 1u)) * kvStride + kvHead;
    for (var c = 0u; c < d4; c++) {
      scores += vec4f(
        dot(query[c], k[keys.x + c]),
        dot(query[c], k[keys.y + c]),
        dot(query[c], k[keys.z + c]),
        dot(query[c], k[keys.w + c]),
      );
    }
    scores = select(scores, vec4f(LOWEST), four >= vec4u(end));
    let newTop = max(max(max(scores.x, scores.y), max(scores.z, scores.w)), top);
    let shrink = exp(top - newTop);
    let weights = exp(scores - newTop);
    total = total * shrink + dot(weights, vec4f(1.0));
    top = newTop;
    for (var c = 0u; c < d4; c++) {
      sum[c] = sum[c] * shrink + weights.x * v[keys.x + c] + weights.y * v[keys.y + c]
        + weights.z * v[keys.z + c] + weights.w * v[keys.w + c];
    }
  }
  }
  for (var c = 0u; c < d4; c++) {
    o[at + c] = sum[c] / total;
  }
  stats[row * p.heads + head] = vec2f(top + log(total), 0.0);
}

@compute @workgroup_size(WG)
fn backward_q(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  let head = id.y;
  if (row >= pb.rows) {
    return;
  }
  let d4 = select(D, pb.D, D == 0u) / 4u;
  let kvStride = pb.kvHeads * d4;
  let kvHead = (head / (pb.heads / pb.kvHeads)) * d4;
  let at = (row * pb.heads + head) * d4;
  var query: array<vec4f, MAX_D4>;
  var grad: array<vec4f, MAX_D4>;
  var sum: array<vec4f, MAX_D4>;
  var delta = 0.0;
  for (var c = 0u; c < d4; c++) {
    query[c] = q[at + c] * pb.scale;
    grad[c] = d_o[at + c];
    delta += dot(grad[c], o_saved[at + c]);
    sum[c] = vec4f(0.0);
  }
  let lse = stats[row * pb.heads + head].x;
  stats[row * pb.heads + head].y = delta;
  for (var entry = row; entry != NONE; entry = segments[entry].z) {
  for (var j = segments[entry].x; j < segments[entry].y; j++) {
    let key = j * kvStride + kvHead;
    var score = 0.0;
    var dp = 0.0;
    for (var c = 0u; c < d4; c++) {
      score += dot(query[c], k[key + c]);
      dp += dot(grad[c], v[key + c]);
    }
    let ds = exp(score - lse) * (dp - delta) * pb.scale;
    for (var c = 0u; c < d4; c++) {
      sum[c] += ds * k[key + c];
    }
  }
  }
  for (var c = 0u; c < d4; c++) {
    dq[at + c] = sum[c];
  }
}

@compute @workgroup_size(WG)
fn backward_kv(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  let kvHead = id.y;
  if (row >= pb.rows) {
    return;
  }
  let d4 = select(D, pb.D, D == 0u) / 4u;
  let group = pb.heads / pb.kvHeads;
  let at = (row * pb.kvHeads + kvHead) * d4;
  var key: array<vec4f, MAX_D4>;
  var value: array<vec4f, MAX_D4>;
  var keySum: array<vec4f, MAX_D4>;
  var valueSum: array<vec4f, MAX_D4>;
  for (var c = 0u; c < d4; c++) {
    key[c] = k[at + c] * pb.scale;
    value[c] = v[at + c];
    keySum[c] = vec4f(0.0);
    valueSum[c] = vec4f(0.0);
  }
  for (var i = row; i < segments[row].w; i++) {
    for (var head = kvHead * group; head < (kvHead + 1u) * group; head++) {
      let query = (i * pb.heads + head) * d4;
      var score = 0.0;
      var dp = 0.0;
      for (var c = 0u; c < d4; c++) {
        score += dot(key[c], q[query + c]);
        dp += dot(value[c], d_out[query + c]);
      }
      let stat = stats_saved[i * pb.heads + head];
      let weight = exp(score - stat.x);
      let ds = weight * (dp - stat.y) * pb.scale;
      for (var c = 0u; c < d4; c++) {
        valueSum[c] += weight * d_out[query + c];
        keySum[c] += ds * q[query + c];
      }
    }
  }
  for (var c = 0u; c < d4; c++) {
    dk[at + c] = keySum[c];
    dv[at + c] = valueSum[c];
  }
}
