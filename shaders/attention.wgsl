// Grouped-query causal attention without keeping T×T (Dao et al. 2022: online softmax; backward from lse).
// q, o: (T, NH·D); k, v: (keys, KVH·D); stats: (T, NH) of (lse, delta). Head h reads key/value head h / (NH/KVH).
// The rows are a forest of nodes, depth first (src/model/rowTree.ts). segments[t] = (first, end, parent, users): row t
// attends to the keys first … end − 1, its own the last, and, climbing, to those of the entry `parent`, which lies behind
// the rows' entries; the rows t … users − 1 attend to row t. In decoding the keys are slots of the cache.
//   forward      o = softmax(q·kᵀ·scale)·v,  lse = log Σ exp
//   backward_q   delta = dO·O;  dS = P∘(dO·vᵀ − delta);  dQ = scale·dS·k           (writes dq and delta)
//   backward_kv  dV = Pᵀ·dO;  dK = scale·dSᵀ·q, summed over the heads of the group  (writes dk and dv)
// A dispatch takes the rows first … first + rows − 1, so that none runs long.
// Each invocation owns a row of GROUP heads that read the same keys (backward_kv: KEYS keys); what they meet goes by in
// steps of four, so that a load serves several products: on software adapters loads cost more than arithmetic, and fma is
// spelled out. On a GPU one head and one key, so that they stay in registers.
// Head size fixed when compiling, so that a GPU unrolls its loops and keeps rows in registers; 0: read from Params.
// lavapipe takes 0: LLVM needs half a minute for each unrolled pipeline (1.4 s with a loop), which then runs no faster.
override D: u32 = 0u;
override GROUP: u32 = 1u; // divides NH/KVH, at most MAX_GROUP
override KEYS: u32 = 1u; // at most MAX_KEYS
override WG: u32 = 8u;

const MAX_GROUP = 4u;
const MAX_KEYS = 2u;

#import shared/attention_io

// The sums, plus the products of x with four.
fn add_dots(sums: vec4f, x: vec4f, four: array<vec4f, 4>) -> vec4f {
  let first = fma(vec4f(x.x), vec4f(four[0].x, four[1].x, four[2].x, four[3].x), sums);
  let second = fma(vec4f(x.y), vec4f(four[0].y, four[1].y, four[2].y, four[3].y), first);
  let third = fma(vec4f(x.z), vec4f(four[0].z, four[1].z, four[2].z, four[3].z), second);
  return fma(vec4f(x.w), vec4f(four[0].w, four[1].w, four[2].w, four[3].w), third);
}

// sum + Σ weight i · four[i]
fn add_weighted(sum: vec4f, weights: vec4f, four: array<vec4f, 4>) -> vec4f {
  let half = fma(vec4f(weights.y), four[1], fma(vec4f(weights.x), four[0], sum));
  return fma(vec4f(weights.w), four[3], fma(vec4f(weights.z), four[2], half));
}

@compute @workgroup_size(WG)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  let row = p.first + id.x;
  let head = id.y * GROUP;
  if (id.x >= p.rows) {
    return;
  }
  let d4 = select(D, p.D, D == 0u) / 4u;
  let kvStride = p.kvHeads * d4;
  let kvHead = (head / (p.heads / p.kvHeads)) * d4;
  let at = (row * p.heads + head) * d4;
  var query: array<vec4f, MAX_GROUP * MAX_D4>;
  var sum: array<vec4f, MAX_GROUP * MAX_D4>;
  var top: array<f32, MAX_GROUP>;
  var total: array<f32, MAX_GROUP>;
  for (var h = 0u; h < GROUP; h++) {
    for (var c = 0u; c < d4; c++) {
      query[h * MAX_D4 + c] = q[at + h * d4 + c] * p.scale;
      sum[h * MAX_D4 + c] = vec4f(0.0);
    }
    top[h] = LOWEST;
    total[h] = 0.0;
  }
  for (var entry = row; entry != NONE; entry = segments[entry].z) {
    let end = segments[entry].y;
    for (var i = segments[entry].x; i < end; i += 4u) {
      // Keys past the last read it again with weight 0.
      let four = i + vec4u(0u, 1u, 2u, 3u);
      let keys = min(four, vec4u(end - 1u)) * kvStride + kvHead;
      var scores: array<vec4f, MAX_GROUP>;
      var shrink: array<f32, MAX_GROUP>;
      for (var h = 0u; h < GROUP; h++) {
        scores[h] = vec4f(0.0);
      }
      for (var c = 0u; c < d4; c++) {
        let four_k = array(k[keys.x + c], k[keys.y + c], k[keys.z + c], k[keys.w + c]);
        for (var h = 0u; h < GROUP; h++) {
          scores[h] = add_dots(scores[h], query[h * MAX_D4 + c], four_k);
        }
      }
      for (var h = 0u; h < GROUP; h++) {
        let score = select(scores[h], vec4f(LOWEST), four >= vec4u(end));
        let newTop = max(max(max(score.x, score.y), max(score.z, score.w)), top[h]);
        shrink[h] = exp(top[h] - newTop);
        scores[h] = exp(score - newTop);
        total[h] = total[h] * shrink[h] + dot(scores[h], vec4f(1.0));
        top[h] = newTop;
      }
      for (var c = 0u; c < d4; c++) {
        let four_v = array(v[keys.x + c], v[keys.y + c], v[keys.z + c], v[keys.w + c]);
        for (var h = 0u; h < GROUP; h++) {
          sum[h * MAX_D4 + c] = add_weighted(sum[h * MAX_D4 + c] * shrink[h], scores[h], four_v);
        }
      }
    }
  }
  for (var h = 0u; h < GROUP; h++) {
    for (var c = 0u; c < d4; c++) {
      o[at + h * d4 + c] = sum[h * MAX_D4 + c] / total[h];
    }
    stats[row * p.heads + head + h] = vec2f(top[h] + log(total[h]), 0.0);
  }
}

@compute @workgroup_size(WG)
fn backward_q(@builtin(global_invocation_id) id: vec3u) {
  let row = pb.first + id.x;
  let head = id.y * GROUP;
  if (id.x >= pb.rows) {
    return;
  }
  let d4 = select(D, pb.D, D == 0u) / 4u;
  let kvStride = pb.kvHeads * d4;
  let kvHead = (head / (pb.heads / pb.kvHeads)) * d4;
  let at = (row * pb.heads + head) * d4;
  var query: array<vec4f, MAX_GROUP * MAX_D4>;
  var grad: array<vec4f, MAX_GROUP * MAX_D4>;
  var sum: array<vec4f, MAX_GROUP * MAX_D4>;
  var lse: array<f32, MAX_GROUP>;
  var delta: array<f32, MAX_GROUP>;
  for (var h = 0u; h < GROUP; h++) {
    delta[h] = 0.0;
    for (var c = 0u; c < d4; c++) {
      query[h * MAX_D4 + c] = q[at + h * d4 + c] * pb.scale;
      let g = d_o[at + h * d4 + c];
      grad[h * MAX_D4 + c] = g;
      delta[h] += dot(g, o_saved[at + h * d4 + c]);
      sum[h * MAX_D4 + c] = vec4f(0.0);
    }
    let stat = row * pb.heads + head + h;
    lse[h] = stats[stat].x;
    stats[stat].y = delta[h];
  }
  for (var entry = row; entry != NONE; entry = segments[entry].z) {
    let end = segments[entry].y;
    for (var i = segments[entry].x; i < end; i += 4u) {
      let four = i + vec4u(0u, 1u, 2u, 3u);
      let keys = min(four, vec4u(end - 1u)) * kvStride + kvHead;
      var scores: array<vec4f, MAX_GROUP>;
      var products: array<vec4f, MAX_GROUP>;
      for (var h = 0u; h < GROUP; h++) {
        scores[h] = vec4f(0.0);
        products[h] = vec4f(0.0);
      }
      for (var c = 0u; c < d4; c++) {
        let four_k = array(k[keys.x + c], k[keys.y + c], k[keys.z + c], k[keys.w + c]);
        let four_v = array(v[keys.x + c], v[keys.y + c], v[keys.z + c], v[keys.w + c]);
        for (var h = 0u; h < GROUP; h++) {
          scores[h] = add_dots(scores[h], query[h * MAX_D4 + c], four_k);
          products[h] = add_dots(products[h], grad[h * MAX_D4 + c], four_v);
        }
      }
      for (var h = 0u; h < GROUP; h++) {
        let slope = exp(scores[h] - lse[h]) * (products[h] - delta[h]) * pb.scale;
        scores[h] = select(slope, vec4f(0.0), four >= vec4u(end));
      }
      for (var c = 0u; c < d4; c++) {
        let four_k = array(k[keys.x + c], k[keys.y + c], k[keys.z + c], k[keys.w + c]);
        for (var h = 0u; h < GROUP; h++) {
          sum[h * MAX_D4 + c] = add_weighted(sum[h * MAX_D4 + c], scores[h], four_k);
        }
      }
    }
  }
  for (var h = 0u; h < GROUP; h++) {
    for (var c = 0u; c < d4; c++) {
      dq[at + h * d4 + c] = sum[h * MAX_D4 + c];
    }
  }
}

@compute @workgroup_size(WG)
fn backward_kv(@builtin(global_invocation_id) id: vec3u) {
  let first = pb.first + id.x * KEYS;
  let last = pb.first + pb.rows - 1u;
  let kvHead = id.y;
  if (first > last) {
    return;
  }
  let d4 = select(D, pb.D, D == 0u) / 4u;
  let group = pb.heads / pb.kvHeads;
  var key: array<vec4f, MAX_KEYS * MAX_D4>;
  var value: array<vec4f, MAX_KEYS * MAX_D4>;
  var keySum: array<vec4f, MAX_KEYS * MAX_D4>;
  var valueSum: array<vec4f, MAX_KEYS * MAX_D4>;
  var users: array<u32, MAX_KEYS>;
  var end = 0u;
  for (var j = 0u; j < KEYS; j++) {
    // A key past the last is the last again, and written by nobody.
    let row = min(first + j, last);
    let at = (row * pb.kvHeads + kvHead) * d4;
    for (var c = 0u; c < d4; c++) {
      key[j * MAX_D4 + c] = k[at + c] * pb.scale;
      value[j * MAX_D4 + c] = v[at + c];
      keySum[j * MAX_D4 + c] = vec4f(0.0);
      valueSum[j * MAX_D4 + c] = vec4f(0.0);
    }
    users[j] = segments[row].w;
    end = max(end, users[j]);
  }
  // A row's heads of the group lie side by side: query number `row · group + head` of this kv head. Each key's users begin
  // with its own row, so that between the first key and the last user lies no row without use.
  for (var i = first * group; i < end * group; i += 4u) {
    let four = i + vec4u(0u, 1u, 2u, 3u);
    let kept = min(four, vec4u(end * group - 1u));
    let rows = kept / group;
    let stat = rows * pb.heads + kvHead * group + kept % group;
    let queries = stat * d4;
    var weights: array<vec4f, MAX_KEYS>;
    var slopes: array<vec4f, MAX_KEYS>;
    for (var j = 0u; j < KEYS; j++) {
      weights[j] = vec4f(0.0);
      slopes[j] = vec4f(0.0);
    }
    for (var c = 0u; c < d4; c++) {
      let four_q = array(q[queries.x + c], q[queries.y + c], q[queries.z + c], q[queries.w + c]);
      let four_g = array(d_o[queries.x + c], d_o[queries.y + c], d_o[queries.z + c], d_o[queries.w + c]);
      for (var j = 0u; j < KEYS; j++) {
        weights[j] = add_dots(weights[j], key[j * MAX_D4 + c], four_q);
        slopes[j] = add_dots(slopes[j], value[j * MAX_D4 + c], four_g);
      }
    }
    let four_stats = array(stats_saved[stat.x], stats_saved[stat.y], stats_saved[stat.z], stats_saved[stat.w]);
    let lse = vec4f(four_stats[0].x, four_stats[1].x, four_stats[2].x, four_stats[3].x);
    let delta = vec4f(four_stats[0].y, four_stats[1].y, four_stats[2].y, four_stats[3].y);
    for (var j = 0u; j < KEYS; j++) {
      let used = (four == kept) & (rows >= vec4u(first + j)) & (rows < vec4u(users[j]));
      weights[j] = exp(select(vec4f(LOWEST), weights[j] - lse, used));
      slopes[j] = weights[j] * (slopes[j] - delta) * pb.scale;
    }
    for (var c = 0u; c < d4; c++) {
      let four_q = array(q[queries.x + c], q[queries.y + c], q[queries.z + c], q[queries.w + c]);
      let four_g = array(d_o[queries.x + c], d_o[queries.y + c], d_o[queries.z + c], d_o[queries.w + c]);
      for (var j = 0u; j < KEYS; j++) {
        keySum[j * MAX_D4 + c] = add_weighted(keySum[j * MAX_D4 + c], slopes[j], four_q);
        valueSum[j * MAX_D4 + c] = add_weighted(valueSum[j * MAX_D4 + c], weights[j], four_g);
      }
    }
  }
  for (var j = 0u; j < KEYS && first + j <= last; j++) {
    let at = ((first + j) * pb.kvHeads + kvHead) * d4;
    for (var c = 0u; c < d4; c++) {
      dk[at + c] = keySum[j * MAX_D4 + c];
      dv[at + c] = valueSum[j * MAX_D4 + c];
    }
  }
}
