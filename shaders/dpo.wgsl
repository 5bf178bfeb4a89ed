// DPO on one preference pair (Rafailov et al. 2023, Eq. 7; OBP-LLM, Eq. 12; method.md, stage 3).
//   sum      pair[side] (+)= Σ over rows of log-probability: log π(y_w|x) at 0, log π(y_l|x) at 1; one workgroup
//   loss     margin m = β[(log π_w − ref_w) − (log π_l − ref_l) − λ·max(0, ref_w − log π_w)]   (λ: DPO-Positive,
//            Pal et al. 2024, Eq. 3);  −log σ(m)·pairShare + tokenShare·(−log π_w) is the pair's part of the step's loss;
//            pair[2], pair[3] = its derivatives by −log π_w, −log π_l, which scale cross_entropy's gradients
// totals: += 0 −log σ(m), 1 −log π_w, 2 reward chosen, 3 reward rejected, 4 their difference > 0, 5 log π_w, 6 log π_l.
override WG: u32 = 64u;

struct Params {
  rows: u32,
  side: u32,
  first: u32, // 1: sum starts anew
  refChosen: f32,
  refRejected: f32,
  beta: f32,
  lambda: f32,
  pairShare: f32,
  tokenShare: f32,
}

@group(0) @binding(0) var<storage, read> stats: array<vec4f>; // (rows) of cross_entropy: z label logit, w log-sum-exp
@group(0) @binding(1) var<storage, read_write> sums: array<f32>; // (4), the pair
@group(0) @binding(2) var<uniform> p: Params;

@group(0) @binding(0) var<storage, read_write> pair: array<f32>; // (4)
@group(0) @binding(1) var<storage, read_write> totals: array<f32>; // (7)
@group(0) @binding(2) var<uniform> pl: Params;

#import shared/reduce

@compute @workgroup_size(WG)
fn sum(@builtin(local_invocation_index) lane: u32) {
  var part = 0.0;
  for (var row = lane; row < p.rows; row += WG) {
    part += stats[row].z - stats[row].w;
  }
  let added = workgroup_sum(lane, part);
  if (lane == 0u) {
    sums[p.side] = select(sums[p.side], 0.0, p.first == 1u) + added;
  }
}

@compute @workgroup_size(1)
fn loss() {
  let chosen = pair[0] - pl.refChosen;
  let rejected = pair[1] - pl.refRejected;
  let margin = pl.beta * (chosen - rejected - pl.lambda * max(0.0, -chosen));
  // −log σ(m) = log(1 + exp(−m)); its derivative by m is −σ(−m).
  let slope = pl.pairShare * pl.beta / (1.0 + exp(margin));
  pair[2] = slope * select(1.0, 1.0 + pl.lambda, chosen < 0.0) + pl.tokenShare;
  pair[3] = -slope;
  totals[0] += max(-margin, 0.0) + log(1.0 + exp(-abs(margin)));
  totals[1] += -pair[0];
  totals[2] += pl.beta * chosen;
  totals[3] += pl.beta * rejected;
  totals[4] += select(0.0, 1.0, chosen > rejected);
  totals[5] += pair[0];
  totals[6] += pair[1];
}
