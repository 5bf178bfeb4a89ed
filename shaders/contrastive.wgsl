// Attention contrastive loss of one prompt (OBP-LLM, Eq. 3 and 4; method.md, stage 2). Vector 0 is the type, e^Q; the
// others are entities (positive) and their neighbours (negative), e^K, each a mean over tokens and heads, D long.
//   pool      e_v = mean over v's rows and the heads of x (T, heads·D)
//   loss      cos_v = e_0·e_v / (|e_0||e_v|);  z = Σ sign_v·cos_v;  loss = −log σ(z);  de = its gradient; one workgroup
//   scatter   dx[row, head, :] += weight/(heads·|rows of v|)·de_v, summed over the vectors v that a row is in
// Rows of vector v: members[starts[v]] … members[starts[v + 1] − 1]. scatter takes the same list the other way round:
// touched[i] is a row, its vectors members[starts[i]] …; counts[v] says how many rows vector v has.
override WG: u32 = 64u;

struct Params { V: u32, D: u32, heads: u32, first: u32, rows: u32, weight: f32 } // first: vector that list 0 makes

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> members: array<u32>;
@group(0) @binding(3) var<storage, read_write> e: array<f32>; // (V, D)
@group(0) @binding(4) var<uniform> p: Params;

@group(0) @binding(0) var<storage, read> vectors: array<f32>; // loss: (V, D)
@group(0) @binding(1) var<storage, read> signs: array<f32>; // (V), that of the type unused
@group(0) @binding(2) var<storage, read_write> cosines: array<vec2f>; // (V) of (cos_v, |e_v|)
@group(0) @binding(3) var<storage, read_write> de: array<f32>; // (V, D)
@group(0) @binding(4) var<storage, read_write> total: array<vec2f>; // += (loss, 1)
@group(0) @binding(5) var<uniform> pl: Params;

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
fn loss(@builtin(local_invocation_index) lane: u32) {
  let typeLength = length_of(0u);
  var sum = 0.0;
  for (var v = lane; v < pl.V; v += WG) {
    var product = 0.0;
    for (var d = 0u; d < pl.D; d++) {
      product += vectors[d] * vectors[v * pl.D + d];
    }
    let own = length_of(v);
    cosines[v] = vec2f(product / (typeLength * own), own);
    sum += select(signs[v] * cosines[v].x, 0.0, v == 0u);
  }
  let z = workgroup_sum(lane, sum);
  storageBarrier();
  // d/dz of −log σ(z) = log(1 + exp(−z)) is −σ(−z).
  let slope = -1.0 / (1.0 + exp(z));
  for (var d = lane; d < pl.D; d += WG) {
    var typeGradient = 0.0;
    for (var v = 1u; v < pl.V; v++) {
      typeGradient += signs[v] * (vectors[v * pl.D + d] / cosines[v].y - cosines[v].x * vectors[d] / typeLength);
    }
    de[d] = slope * typeGradient / typeLength;
  }
  for (var v = lane + 1u; v < pl.V; v += WG) {
    let own = cosines[v].y;
    for (var d = 0u; d < pl.D; d++) {
      let i = v * pl.D + d;
      de[i] = slope * signs[v] * (vectors[d] / typeLength - cosines[v].x * vectors[i] / own) / own;
    }
  }
  if (lane == 0u) {
    total[0] += vec2f(max(-z, 0.0) + log(1.0 + exp(-abs(z))), 1.0);
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
