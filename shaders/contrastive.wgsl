// Attention contrastive loss of the prompts of a pass (OBP-LLM, Eq. 3 and 4; method.md, stage 2). Vector i is the type of
// prompt i, e^Q; behind the types lie the keys e^K of all prompts, entities (positive) and their neighbours (negative):
// those of prompt i are vectors ranges[i] … ranges[i + 1] − 1. Each is a mean over tokens and heads, D long.
//   pool      e_v = mean over v's rows and the heads of x (T, heads·D)
//   loss      t the type: cos_v = e_t·e_v / (|e_t||e_v|);  z = Σ sign_v·cos_v;  losses_i = −log σ(z);  de = its gradient;
//             a workgroup a prompt
//   sum       total += (Σ losses, prompts); one workgroup, so the order is fixed
//   scatter   dx[row, head, :] += weight/(heads·|rows of v|)·de_v, summed over the vectors v that a row is in
// Rows of vector v: members[starts[v]] … members[starts[v + 1] − 1]. scatter takes the same list the other way round:
// touched[i] is a row, its vectors members[starts[i]] …; counts[v] says how many rows vector v has.
override WG: u32 = 64u;

struct Params { D: u32, heads: u32, first: u32, rows: u32, weight: f32 } // first: vector that list 0 makes

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> members: array<u32>;
@group(0) @binding(3) var<storage, read_write> e: array<f32>; // (V, D)
@group(0) @binding(4) var<uniform> p: Params;

@group(0) @binding(0) var<storage, read> vectors: array<f32>; // loss: (V, D)
@group(0) @binding(1) var<storage, read> ranges: array<u32>; // (prompts + 1)
@group(0) @binding(2) var<storage, read> signs: array<f32>; // (V), those of types unused
@group(0) @binding(3) var<storage, read_write> cosines: array<vec2f>; // (V) of (cos_v, |e_v|)
@group(0) @binding(4) var<storage, read_write> de: array<f32>; // (V, D)
@group(0) @binding(5) var<storage, read_write> losses: array<f32>; // (prompts)
@group(0) @binding(6) var<uniform> pl: Params;

@group(0) @binding(0) var<storage, read> found: array<f32>; // sum: (rows) losses
@group(0) @binding(1) var<storage, read_write> total: array<vec2f>; // (1)
@group(0) @binding(2) var<uniform> pt: Params;

@group(0) @binding(0) var<storage, read> touched: array<u32>; // scatter: (rows)
@group(0) @binding(3) var<storage, read> counts: array<f32>; // (V)
@group(0) @binding(4) var<storage, read> gradient: array<f32>; // (V, D)
@group(0) @binding(5) var<storage, read_write> dx: array<f32>; // (T, heads·D)
@group(0) @binding(6) var<uniform> ps: Params;

#import shared/reduce

@compute @workgroup_size(WG)
fn pool(@builtin(global_invocation_id) id: vec3u) {
  let d = id.x;
  if (d >= p.D) {
    return;
  }
  let begin = starts[id.y];
  let end = starts[id.y + 1u];
  var sum = 0.0;
  for (var i = begin; i < end; i++) {
    for (var head = 0u; head < p.heads; head++) {
      sum += x[(members[i] * p.heads + head) * p.D + d];
    }
  }
  e[(p.first + id.y) * p.D + d] = sum / f32((end - begin) * p.heads);
}

// Below it a vector has no direction, and its cosine is 0 with gradient 0.
const SMALLEST = 1e-20;

fn length_of(v: u32) -> f32 {
  var squares = 0.0;
  for (var d = 0u; d < pl.D; d++) {
    let value = vectors[v * pl.D + d];
    squares += value * value;
  }
  return max(sqrt(squares), SMALLEST);
}

@compute @workgroup_size(WG)
fn loss(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let t = group.x;
  let first = ranges[t];
  let end = ranges[t + 1u];
  let typeLength = length_of(t);
  var sum = 0.0;
  for (var v = first + lane; v < end; v += WG) {
    var product = 0.0;
    for (var d = 0u; d < pl.D; d++) {
      product += vectors[t * pl.D + d] * vectors[v * pl.D + d];
    }
    let own = length_of(v);
    cosines[v] = vec2f(product / (typeLength * own), own);
    sum += signs[v] * cosines[v].x;
  }
  let z = workgroup_sum(lane, sum);
  storageBarrier();
  // d/dz of −log σ(z) = log(1 + exp(−z)) is −σ(−z).
  let slope = -1.0 / (1.0 + exp(z));
  for (var d = lane; d < pl.D; d += WG) {
    var typeGradient = 0.0;
    for (var v = first; v < end; v++) {
      let unit = vectors[t * pl.D + d] / typeLength;
      typeGradient += signs[v] * (vectors[v * pl.D + d] / cosines[v].y - cosines[v].x * unit);
    }
    de[t * pl.D + d] = slope * typeGradient / typeLength;
  }
  for (var v = first + lane; v < end; v += WG) {
    let own = cosines[v].y;
    for (var d = 0u; d < pl.D; d++) {
      let i = v * pl.D + d;
      de[i] = slope * signs[v] * (vectors[t * pl.D + d] / typeLength - cosines[v].x * vectors[i] / own) / own;
    }
  }
  if (lane == 0u) {
    cosines[t] = vec2f(1.0, typeLength);
    losses[t] = max(-z, 0.0) + log(1.0 + exp(-abs(z)));
  }
}

@compute @workgroup_size(WG)
fn sum(@builtin(local_invocation_index) lane: u32) {
  var part = 0.0;
  for (var i = lane; i < pt.rows; i += WG) {
    part += found[i];
  }
  let added = workgroup_sum(lane, part);
  if (lane == 0u) {
    total[0] += vec2f(added, f32(pt.rows));
  }
}

@compute @workgroup_size(WG)
fn scatter(@builtin(global_invocation_id) id: vec3u) {
  let width = ps.heads * ps.D;
  if (id.x >= width) {
    return;
  }
  let d = id.x % ps.D;
  var sum = 0.0;
  for (var i = starts[id.y]; i < starts[id.y + 1u]; i++) {
    let v = members[i];
    sum += gradient[v * ps.D + d] / counts[v];
  }
  dx[touched[id.y] * width + id.x] += sum * ps.weight / f32(ps.heads);
}
