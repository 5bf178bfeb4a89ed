// Counter-based random numbers: PCG's output permutation of a 32-bit counter (O'Neill 2014; Jarzynski & Olano 2020).
fn pcg(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// Inverted dropout (Srivastava et al. 2014): 0, or 1/(1-rate). `threshold` = rate·2³²; the same
// (seed, index) gives the same factor in forward, recomputation and backward.
fn dropout_factor(seed: u32, index: u32, threshold: u32, keep: f32) -> f32 {
  return select(keep, 0.0, pcg(index + pcg(seed)) < threshold);
}

fn dropout_factor4(seed: u32, index: u32, threshold: u32, keep: f32) -> vec4f {
  return vec4f(
    dropout_factor(seed, index, threshold, keep),
    dropout_factor(seed, index + 1u, threshold, keep),
    dropout_factor(seed, index + 2u, threshold, keep),
    dropout_factor(seed, index + 3u, threshold, keep),
  );
}
