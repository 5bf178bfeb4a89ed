// Attention forward and backward as shaders/attention.wgsl has them, for rows that attend to rows of their own pass, on
// adapters whose subgroups have at least eight lanes. On a software adapter a lane's storage load costs as much as many
// multiply-adds, so that of a block of 32 rows each of eight lanes reads four, and all get them through shuffles; rows are
// written out one by one because a shuffle from a lane known when compiling is a permutation in registers.
// Eight lanes go together over the rows that any of them needs. Row t attends to key j where j ≤ t < users of j.
enable subgroups;
// The lanes of a workgroup stay together: loops end, and blocks are left out, for all of them alike.
diagnostic(off, subgroup_uniformity);

override GROUP: u32 = 1u; // heads of an invocation that read the same keys: divides NH/KVH, at most MAX_OWN
override KEYS: u32 = 1u;  // keys of an invocation in backward_kv, at most MAX_OWN

const LANES = 8u;
const BLOCK = 32u;
const MAX_OWN = 4u;

#import shared/attention_io

// What an invocation's own rows have to do with those of a block: [own · BLOCK + row of the block]. Zeroed in words, since
// a declaration in a loop was seen to keep the values of the round before (Dawn on lavapipe).
alias Pairs = array<f32, MAX_OWN * BLOCK>;
// A vector of each of an invocation's own rows.
alias Own = array<vec4f, MAX_OWN>;
// All vectors of an invocation's own rows: [own · MAX_D4 + vector].
alias Rows = array<vec4f, MAX_OWN * MAX_D4>;
// A vector of each of the four rows of a block that this lane reads.
alias Held = array<vec4f, 4>;

fn own_of(rows: ptr<function, Rows>, count: u32, c: u32) -> Own {
  var own: Own;
  for (var i = 0u; i < count; i++) {
    own[i] = (*rows)[i * MAX_D4 + c];
  }
  return own;
}

fn add_dot(sum: f32, a: vec4f, b: vec4f) -> f32 {
  return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

// pairs += own · y, of the first `count` own rows.
fn add_pairs(pairs: ptr<function, Pairs>, at: u32, count: u32, own: Own, y: vec4f) {
  (*pairs)[at] = add_dot((*pairs)[at], own[0], y);
  if (count > 1u) {
    (*pairs)[BLOCK + at] = add_dot((*pairs)[BLOCK + at], own[1], y);
  }
  if (count > 2u) {
    (*pairs)[2u * BLOCK + at] = add_dot((*pairs)[2u * BLOCK + at], own[2], y);
  }
  if (count > 3u) {
    (*pairs)[3u * BLOCK + at] = add_dot((*pairs)[3u * BLOCK + at], own[3], y);
  }
}

fn add_pairs8(pairs: ptr<function, Pairs>, at: u32, count: u32, own: Own, held: vec4f) {
  add_pairs(pairs, at, count, own, subgroupShuffle(held, 0u));
  add_pairs(pairs, at + 1u, count, own, subgroupShuffle(held, 1u));
  add_pairs(pairs, at + 2u, count, own, subgroupShuffle(held, 2u));
  add_pairs(pairs, at + 3u, count, own, subgroupShuffle(held, 3u));
  add_pairs(pairs, at + 4u, count, own, subgroupShuffle(held, 4u));
  add_pairs(pairs, at + 5u, count, own, subgroupShuffle(held, 5u));
  add_pairs(pairs, at + 6u, count, own, subgroupShuffle(held, 6u));
  add_pairs(pairs, at + 7u, count, own, subgroupShuffle(held, 7u));
}

fn add_pairs32(pairs: ptr<function, Pairs>, count: u32, own: Own, held: Held) {
  add_pairs8(pairs, 0u, count, own, held[0]);
  add_pairs8(pairs, LANES, count, own, held[1]);
  add_pairs8(pairs, 2u * LANES, count, own, held[2]);
  add_pairs8(pairs, 3u * LANES, count, own, held[3]);
}

// own += pair · y
fn add_rows(own: ptr<function, Own>, at: u32, count: u32, pairs: ptr<function, Pairs>, y: vec4f) {
  (*own)[0] = fma(vec4f((*pairs)[at]), y, (*own)[0]);
  if (count > 1u) {
    (*own)[1] = fma(vec4f((*pairs)[BLOCK + at]), y, (*own)[1]);
  }
  if (count > 2u) {
    (*own)[2] = fma(vec4f((*pairs)[2u * BLOCK + at]), y, (*own)[2]);
  }
  if (count > 3u) {
    (*own)[3] = fma(vec4f((*pairs)[3u * BLOCK + at]), y, (*own)[3]);
  }
}

fn add_rows8(own: ptr<function, Own>, at: u32, count: u32, pairs: ptr<function, Pairs>, held: vec4f) {
  add_rows(own, at, count, pairs, subgroupShuffle(held, 0u));
  add_rows(own, at + 1u, count, pairs, subgroupShuffle(held, 1u));
  add_rows(own, at + 2u, count, pairs, subgroupShuffle(held, 2u));
  add_rows(own, at + 3u, count, pairs, subgroupShuffle(held, 3u));
  add_rows(own, at + 4u, count, pairs, subgroupShuffle(held, 4u));
  add_rows(own, at + 5u, count, pairs, subgroupShuffle(held, 5u));
  add_rows(own, at + 6u, count, pairs, subgroupShuffle(held, 6u));
  add_rows(own, at + 7u, count, pairs, subgroupShuffle(held, 7u));
}

fn add_rows32(own: ptr<function, Own>, count: u32, pairs: ptr<function, Pairs>, held: Held) {
  add_rows8(own, 0u, count, pairs, held[0]);
  add_rows8(own, LANES, count, pairs, held[1]);
  add_rows8(own, 2u * LANES, count, pairs, held[2]);
  add_rows8(own, 3u * LANES, count, pairs, held[3]);
}

// What does not belong together gets LOWEST, whose exp is 0.
fn keep(pairs: ptr<function, Pairs>, at: u32, count: u32, used: bool) {
  for (var i = 0u; i < count; i++) {
    (*pairs)[i * BLOCK + at] = select(LOWEST, (*pairs)[i * BLOCK + at], used);
  }
}

// Eight keys from `key`, of which `users` of lane i belongs to key + i.
fn keep_keys8(pairs: ptr<function, Pairs>, at: u32, key: u32, row: u32, users: u32) {
  keep(pairs, at, GROUP, (key <= row) & (row < subgroupShuffle(users, 0u)));
  keep(pairs, at + 1u, GROUP, (key + 1u <= row) & (row < subgroupShuffle(users, 1u)));
  keep(pairs, at + 2u, GROUP, (key + 2u <= row) & (row < subgroupShuffle(users, 2u)));
  keep(pairs, at + 3u, GROUP, (key + 3u <= row) & (row < subgroupShuffle(users, 3u)));
  keep(pairs, at + 4u, GROUP, (key + 4u <= row) & (row < subgroupShuffle(users, 4u)));
  keep(pairs, at + 5u, GROUP, (key + 5u <= row) & (row < subgroupShuffle(users, 5u)));
  keep(pairs, at + 6u, GROUP, (key + 6u <= row) & (row < subgroupShuffle(users, 6u)));
  keep(pairs, at + 7u, GROUP, (key + 7u <= row) & (row < subgroupShuffle(users, 7u)));
}

fn keep_keys32(pairs: ptr<function, Pairs>, key: u32, row: u32, users: vec4u) {
  keep_keys8(pairs, 0u, key, row, users.x);
  keep_keys8(pairs, LANES, key + LANES, row, users.y);
  keep_keys8(pairs, 2u * LANES, key + 2u * LANES, row, users.z);
  keep_keys8(pairs, 3u * LANES, key + 3u * LANES, row, users.w);
}

// The four rows of a block that this lane reads; those past `last` read it again.
fn held_rows(first: u32, last: u32, lane: u32) -> vec4u {
  return min(vec4u(first + lane) + vec4u(0u, LANES, 2u * LANES, 3u * LANES), vec4u(last));
}

// The keys of the tile begin with the root of its first row.
fn root_of(row: u32) -> u32 {
  var entry = row;
  while (segments[entry].z != NONE) {
    entry = segments[entry].z;
  }
  return segments[entry].x;
}

struct Tile {
  row: u32,      // of this invocation, one of the piece also where it lies past its end
  first: u32,
  last: u32,
  head: u32,
  at: u32,       // of the row and its first head
  kvStride: u32,
  kvHead: u32,
  d4: u32,
}

fn tile_of(group: vec3u, index: u32, first: u32, rows: u32, heads: u32, kvHeads: u32, D: u32) -> Tile {
  let start = first + group.x * LANES;
  let last = min(start + LANES, first + rows) - 1u;
  let row = min(start + index, last);
  let head = group.y * GROUP;
  let d4 = D / 4u;
  return Tile(row, start, last, head, (row * heads + head) * d4, kvHeads * d4, (head / (heads / kvHeads)) * d4, d4);
}

@compute @workgroup_size(LANES)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let t = tile_of(group, index, p.first, p.rows, p.heads, p.kvHeads, p.D);
  var query: Rows;
  var sum: Rows;
  var top: array<f32, MAX_OWN>;
  var total: array<f32, MAX_OWN>;
  for (var h = 0u; h < GROUP; h++) {
    for (var c = 0u; c < t.d4; c++) {
      query[h * MAX_D4 + c] = q[t.at + h * t.d4 + c] * p.scale;
      sum[h * MAX_D4 + c] = vec4f(0.0);
    }
    top[h] = 0.1 * LOWEST; // above what is left out, so that its weight is 0 also before the first key
    total[h] = 0.0;
  }
  for (var j = root_of(t.first); j <= t.last; j += BLOCK) {
    let rows = held_rows(j, t.last, lane);
    let users = vec4u(segments[rows.x].w, segments[rows.y].w, segments[rows.z].w, segments[rows.w].w);
    if (!subgroupAny(any(users > vec4u(t.first)))) {
      continue; // keys of prompts, and of branches, that no row of the tile belongs to
    }
    let keys = rows * t.kvStride + t.kvHead;
    var pairs = Pairs();
    for (var c = 0u; c < t.d4; c++) {
      let own = own_of(&query, GROUP, c);
      add_pairs32(&pairs, GROUP, own, array(k[keys.x + c], k[keys.y + c], k[keys.z + c], k[keys.w + c]));
    }
    keep_keys32(&pairs, j, t.row, users);
    var shrink: array<f32, MAX_OWN>;
    for (var h = 0u; h < GROUP; h++) {
      var newTop = top[h];
      for (var i = 0u; i < BLOCK; i++) {
        newTop = max(newTop, pairs[h * BLOCK + i]);
      }
      shrink[h] = exp(top[h] - newTop);
      var added = 0.0;
      for (var i = 0u; i < BLOCK; i++) {
        pairs[h * BLOCK + i] = exp(pairs[h * BLOCK + i] - newTop);
        added += pairs[h * BLOCK + i];
      }
      total[h] = fma(total[h], shrink[h], added);
      top[h] = newTop;
    }
    for (var c = 0u; c < t.d4; c++) {
      var own: Own;
      for (var h = 0u; h < GROUP; h++) {
        own[h] = sum[h * MAX_D4 + c] * shrink[h];
      }
      add_rows32(&own, GROUP, &pairs, array(v[keys.x + c], v[keys.y + c], v[keys.z + c], v[keys.w + c]));
      for (var h = 0u; h < GROUP; h++) {
        sum[h * MAX_D4 + c] = own[h];
      }
    }
  }
  if (t.first + index > t.last) {
    return;
  }
  for (var h = 0u; h < GROUP; h++) {
    for (var c = 0u; c < t.d4; c++) {
      o[t.at + h * t.d4 + c] = sum[h * MAX_D4 + c] / total[h];
    }
    stats[t.row * p.heads + t.head + h] = vec2f(top[h] + log(total[h]), 0.0);
  }
}

@compute @workgroup_size(LANES)
fn backward_q(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let t = tile_of(group, index, pb.first, pb.rows, pb.heads, pb.kvHeads, pb.D);
  var query: Rows;
  var grad: Rows;
  var sum: Rows;
  var lse: array<f32, MAX_OWN>;
  var delta: array<f32, MAX_OWN>;
  for (var h = 0u; h < GROUP; h++) {
    delta[h] = 0.0;
    for (var c = 0u; c < t.d4; c++) {
      query[h * MAX_D4 + c] = q[t.at + h * t.d4 + c] * pb.scale;
      let g = d_o[t.at + h * t.d4 + c];
      grad[h * MAX_D4 + c] = g;
      delta[h] += dot(g, o_saved[t.at + h * t.d4 + c]);
      sum[h * MAX_D4 + c] = vec4f(0.0);
    }
    lse[h] = stats[t.row * pb.heads + t.head + h].x;
  }
  for (var j = root_of(t.first); j <= t.last; j += BLOCK) {
    let rows = held_rows(j, t.last, lane);
    let users = vec4u(segments[rows.x].w, segments[rows.y].w, segments[rows.z].w, segments[rows.w].w);
    if (!subgroupAny(any(users > vec4u(t.first)))) {
      continue;
    }
    let keys = rows * t.kvStride + t.kvHead;
    var pairs = Pairs();
    var products = Pairs();
    for (var c = 0u; c < t.d4; c++) {
      let own = own_of(&query, GROUP, c);
      add_pairs32(&pairs, GROUP, own, array(k[keys.x + c], k[keys.y + c], k[keys.z + c], k[keys.w + c]));
    }
    for (var c = 0u; c < t.d4; c++) {
      let own = own_of(&grad, GROUP, c);
      add_pairs32(&products, GROUP, own, array(v[keys.x + c], v[keys.y + c], v[keys.z + c], v[keys.w + c]));
    }
    keep_keys32(&pairs, j, t.row, users);
    for (var h = 0u; h < GROUP; h++) {
      for (var i = h * BLOCK; i < (h + 1u) * BLOCK; i++) {
        pairs[i] = exp(pairs[i] - lse[h]) * (products[i] - delta[h]) * pb.scale;
      }
    }
    for (var c = 0u; c < t.d4; c++) {
      var own = own_of(&sum, GROUP, c);
      add_rows32(&own, GROUP, &pairs, array(k[keys.x + c], k[keys.y + c], k[keys.z + c], k[keys.w + c]));
      for (var h = 0u; h < GROUP; h++) {
        sum[h * MAX_D4 + c] = own[h];
      }
    }
  }
  if (t.first + index > t.last) {
    return;
  }
  for (var h = 0u; h < GROUP; h++) {
    stats[t.row * pb.heads + t.head + h].y = delta[h];
    for (var c = 0u; c < t.d4; c++) {
      dq[t.at + h * t.d4 + c] = sum[h * MAX_D4 + c];
    }
  }
}

// Of key j of this invocation and eight queries: `row` and `stat` of lane i belong to query at + i.
fn slope(weights: ptr<function, Pairs>, slopes: ptr<function, Pairs>, i: u32, key: u32, users: u32, row: u32, stat: vec2f) {
  let used = (row >= key) & (row < users);
  let weight = exp(select(LOWEST, (*weights)[i] - stat.x, used));
  (*weights)[i] = weight;
  (*slopes)[i] = weight * ((*slopes)[i] - stat.y) * pb.scale;
}

fn slopes8(
  weights: ptr<function, Pairs>,
  slopes: ptr<function, Pairs>,
  at: u32,
  key: u32,
  users: array<u32, MAX_OWN>,
  row: u32,
  stat: vec2f,
) {
  for (var j = 0u; j < KEYS; j++) {
    let i = j * BLOCK + at;
    slope(weights, slopes, i, key + j, users[j], subgroupShuffle(row, 0u), subgroupShuffle(stat, 0u));
    slope(weights, slopes, i + 1u, key + j, users[j], subgroupShuffle(row, 1u), subgroupShuffle(stat, 1u));
    slope(weights, slopes, i + 2u, key + j, users[j], subgroupShuffle(row, 2u), subgroupShuffle(stat, 2u));
    slope(weights, slopes, i + 3u, key + j, users[j], subgroupShuffle(row, 3u), subgroupShuffle(stat, 3u));
    slope(weights, slopes, i + 4u, key + j, users[j], subgroupShuffle(row, 4u), subgroupShuffle(stat, 4u));
    slope(weights, slopes, i + 5u, key + j, users[j], subgroupShuffle(row, 5u), subgroupShuffle(stat, 5u));
    slope(weights, slopes, i + 6u, key + j, users[j], subgroupShuffle(row, 6u), subgroupShuffle(stat, 6u));
    slope(weights, slopes, i + 7u, key + j, users[j], subgroupShuffle(row, 7u), subgroupShuffle(stat, 7u));
  }
}

@compute @workgroup_size(LANES)
fn backward_kv(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = pb.first + group.x * LANES * KEYS;
  let last = pb.first + pb.rows - 1u;
  let first = tile + index * KEYS;
  let kvHead = group.y;
  let d4 = pb.D / 4u;
  let heads = pb.heads / pb.kvHeads; // that read the same keys
  var key: Rows;
  var value: Rows;
  var keySum: Rows;
  var valueSum: Rows;
  var users: array<u32, MAX_OWN>;
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
  }
  var end = 0u;
  for (var row = tile; row < tile + LANES * KEYS && row <= last; row++) {
    end = max(end, segments[row].w);
  }
  // A row's heads of the group lie side by side: query number `row · heads + head` of this kv head. Each key's users begin
  // with its own row, so that between the first key and the last user lies hardly a row without use.
  for (var i = tile * heads; i < end * heads; i += BLOCK) {
    let queries = held_rows(i, end * heads - 1u, lane);
    // A query past the last is the last again: as of a row that attends to nothing.
    let past = (vec4u(i + lane) + vec4u(0u, LANES, 2u * LANES, 3u * LANES)) >= vec4u(end * heads);
    let rows = queries / heads;
    let stat = rows * pb.heads + kvHead * heads + queries % heads;
    let at = stat * d4;
    var weights = Pairs();
    var slopes = Pairs();
    for (var c = 0u; c < d4; c++) {
      let own = own_of(&key, KEYS, c);
      add_pairs32(&weights, KEYS, own, array(q[at.x + c], q[at.y + c], q[at.z + c], q[at.w + c]));
    }
    for (var c = 0u; c < d4; c++) {
      let own = own_of(&value, KEYS, c);
      add_pairs32(&slopes, KEYS, own, array(d_o[at.x + c], d_o[at.y + c], d_o[at.z + c], d_o[at.w + c]));
    }
    let kept = select(rows, vec4u(NONE), past);
    slopes8(&weights, &slopes, 0u, first, users, kept.x, stats_saved[stat.x]);
    slopes8(&weights, &slopes, LANES, first, users, kept.y, stats_saved[stat.y]);
    slopes8(&weights, &slopes, 2u * LANES, first, users, kept.z, stats_saved[stat.z]);
    slopes8(&weights, &slopes, 3u * LANES, first, users, kept.w, stats_saved[stat.w]);
    for (var c = 0u; c < d4; c++) {
      var own = own_of(&keySum, KEYS, c);
      add_rows32(&own, KEYS, &slopes, array(q[at.x + c], q[at.y + c], q[at.z + c], q[at.w + c]));
      for (var j = 0u; j < KEYS; j++) {
        keySum[j * MAX_D4 + c] = own[j];
      }
    }
    for (var c = 0u; c < d4; c++) {
      var own = own_of(&valueSum, KEYS, c);
      add_rows32(&own, KEYS, &weights, array(d_o[at.x + c], d_o[at.y + c], d_o[at.z + c], d_o[at.w + c]));
      for (var j = 0u; j < KEYS; j++) {
        valueSum[j * MAX_D4 + c] = own[j];
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
