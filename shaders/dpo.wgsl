// DPO on the preference pairs of a pass (Rafailov et al. 2023, Eq. 7; OBP-LLM, Eq. 12; method.md, stage 3). Answers 2i and
// 2i + 1 are the chosen and the rejected one of pair i. An answer is a list of supervised targets (a row and the token it
// should predict), which answers with the same beginning have in common.
//   sum      logps[answer] = Σ over its targets of log-probability; a workgroup an answer
//   loss     margin m = β[(log π_w − ref_w) − (log π_l − ref_l) − λ·max(0, ref_w − log π_w)]   (λ: DPO-Positive,
//            Pal et al. 2024, Eq. 3);  −log σ(m)·pairShare + tokenShare·(−log π_w) is a pair's part of the step's loss;
//            slopes[answer] = its derivatives by −log π_w, −log π_l; one workgroup, so the order is fixed
//   factors  factors[target] = Σ of the slopes of the answers it is in: scales cross_entropy's gradients
// Targets of answer a: members[starts[a]] … members[starts[a + 1] − 1]; factors takes the same list the other way round.
// totals: += 0 −log σ(m), 1 −log π_w, 2 reward chosen, 3 reward rejected, 4 their difference > 0, 5 log π_w, 6 log π_l.
override WG: u32 = 64u;

struct Params {
  count: u32, // answers, pairs, targets
  beta: f32,
  lambda: f32,
  pairShare: f32,
  tokenShare: f32,
}

@group(0) @binding(0) var<storage, read> starts: array<u32>; // sum, factors: (count + 1)
@group(0) @binding(1) var<storage, read> members: array<u32>;

@group(0) @binding(2) var<storage, read> stats: array<vec4f>; // (targets) of cross_entropy: z label logit, w log-sum-exp
@group(0) @binding(3) var<storage, read_write> logps: array<f32>; // (answers)
@group(0) @binding(4) var<uniform> p: Params;

@group(0) @binding(0) var<storage, read> policy: array<vec2f>; // (pairs) of log π_w, log π_l
@group(0) @binding(1) var<storage, read> references: array<vec2f>; // (pairs)
@group(0) @binding(2) var<storage, read_write> slopes: array<vec2f>; // (pairs)
@group(0) @binding(3) var<storage, read_write> totals: array<f32>; // (7)
@group(0) @binding(4) var<uniform> pl: Params;

@group(0) @binding(2) var<storage, read> slope_of: array<f32>; // (answers)
@group(0) @binding(3) var<storage, read_write> factors_of: array<f32>; // (targets)
@group(0) @binding(4) var<uniform> pf: Params;

#import shared/reduce

@compute @workgroup_size(WG)
fn sum(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  if (group.x >= p.count) {
    return;
  }
  var part = 0.0;
  for (var i = starts[group.x] + lane; i < starts[group.x + 1u]; i += WG) {
    let found = stats[members[i]];
    part += found.z - found.w;
  }
  let added = workgroup_sum(lane, part);
  if (lane == 0u) {
    logps[group.x] = added;
  }
}

@compute @workgroup_size(WG)
fn loss(@builtin(local_invocation_index) lane: u32) {
  var parts = array<f32, 7>();
  for (var i = lane; i < pl.count; i += WG) {
    let own = policy[i];
    let chosen = own.x - references[i].x;
    let rejected = own.y - references[i].y;
    let margin = pl.beta * (chosen - rejected - pl.lambda * max(0.0, -chosen));
    // −log σ(m) = log(1 + exp(−m)); its derivative by m is −σ(−m).
    let slope = pl.pairShare * pl.beta / (1.0 + exp(margin));
    slopes[i] = vec2f(slope * select(1.0, 1.0 + pl.lambda, chosen < 0.0) + pl.tokenShare, -slope);
    parts[0] += max(-margin, 0.0) + log(1.0 + exp(-abs(margin)));
    parts[1] += -own.x;
    parts[2] += pl.beta * chosen;
    parts[3] += pl.beta * rejected;
    parts[4] += select(0.0, 1.0, chosen > rejected);
    parts[5] += own.x;
    parts[6] += own.y;
  }
  for (var i = 0u; i < 7u; i++) {
    let added = workgroup_sum(lane, parts[i]);
    workgroupBarrier(); // every lane has read the sum before the next one is made
    if (lane == 0u) {
      totals[i] += added;
    }
  }
}

@compute @workgroup_size(WG)
fn factors(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= pf.count) {
    return;
  }
  var added = 0.0;
  for (var i = starts[id.x]; i < starts[id.x + 1u]; i++) {
    added += slope_of[members[i]];
  }
  factors_of[id.x] = added;
}
