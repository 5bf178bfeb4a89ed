// Random weights of about N(0, 0.02²) in the four layouts (shared/weights.wgsl), for benchmarks: an 8B is made on the GPU
// layer by layer, and no copy of it passes through the host. A quant is the sum of two uniform numbers, the scale of a
// block one of eight, and means are zero: (8 + j)·2⁻ⁿ, times 7 too, is exact in f16. Outputs N ≤ n < Np are zero.
override LAYOUT: u32 = 0u;
override HALVES: bool = false;
override SYMMETRIC: bool = false;
override WG: u32 = 64u;

struct Params {
  count: u32, // words of the buffer
  N: u32,
  Np: u32,
  K: u32,
  seed: u32,
}

@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@group(0) @binding(0) var<storage, read_write> scales: array<u32>;
@group(0) @binding(1) var<uniform> p: Params;

#import shared/random

const ROW = 65535u * 64u; // elements in a row of workgroups along x

fn draw(i: u32, stream: u32) -> u32 {
  return pcg(2u * i + stream + pcg(p.seed));
}

// Bits of f16 and f32 of (8 + j)·2^(e − 3), j below 8.
fn f16_of(j: u32, e: i32) -> u32 {
  return (u32(e + 15) << 10u) | (j << 7u);
}
fn f32_of(j: u32, e: i32) -> u32 {
  return (u32(e + 127) << 23u) | (j << 20u);
}
// −7 times f16_of: 7·(8 + j) is 56 … 105.
fn f16_minus_seven(j: u32, e: i32) -> u32 {
  let product = 7u * (8u + j);
  let high = select(5u, 6u, product >= 64u); // its highest bit
  return 0x8000u | (u32(e + 12 + i32(high)) << 10u) | ((product << (10u - high)) & 0x3ffu);
}

@compute @workgroup_size(WG)
fn fill_words(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= p.count) {
    return;
  }
  let a = draw(i, 0u);
  let b = draw(i, 1u);
  var word = 0u;
  if (LAYOUT <= 1u) {
    word = (a & 0x77777777u) + (b & 0x77777777u); // eight of 0 … 14, or of 1 … 15 where 8 stands for 0
    word += select(0u, 0x11111111u, SYMMETRIC);
  } else if (LAYOUT == 2u && HALVES) {
    word = a; // quants of six bits, all as frequent
  } else if (LAYOUT == 2u) {
    word = ((a & 0x7f7f7f7fu) + (b & 0x7f7f7f7fu)) ^ 0x80808080u; // four of −128 … 126
  } else {
    // The sum of four uniform numbers of 16 bits, of mean 2·65535 and deviation 65536/√3.
    let sum = (a & 0xffffu) + (a >> 16u) + (b & 0xffffu) + (b >> 16u);
    word = bitcast<u32>((f32(sum) - 131070.0) * 5.2e-7);
  }
  words[i] = select(0u, word, i % p.Np < p.N);
}

@compute @workgroup_size(WG)
fn fill_scales(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ROW + id.x;
  if (i >= p.count) {
    return;
  }
  let j = draw(i, 0u) & 7u;
  var word = 0u;
  var n = i % p.Np;
  if (LAYOUT == 0u && SYMMETRIC) {
    word = f16_of(j, -8) | (f16_of(draw(i, 1u) & 7u, -8) << 16u);
  } else if (LAYOUT == 0u) {
    word = f16_of(j, -8) | (f16_minus_seven(j, -8) << 16u);
  } else if (LAYOUT == 1u) {
    if (i < (p.K / 256u) * p.Np) {
      word = f16_of(0u, -13) | (f16_of(6u, -11) << 16u); // d and 7·d
    } else {
      let even = 32u + 4u * j;
      let odd = 32u + 4u * (draw(i, 1u) & 7u);
      word = even | (even << 8u) | (odd << 16u) | (odd << 24u); // m = sc
    }
  } else if (LAYOUT == 2u && HALVES) {
    if (i < (p.K / 256u) * p.Np) {
      word = f16_of(0u, -14); // d = 2⁻¹⁴
    } else {
      for (var byte = 0u; byte < 4u; byte++) {
        word |= (13u + ((draw(i, 0u) >> (3u * byte)) & 7u)) << (8u * byte);
      }
    }
  } else if (LAYOUT == 2u) {
    // Pairs of one number: scale and minimum, which makes the quants' mean of −1 zero.
    word = f32_of(draw(i & ~1u, 0u) & 7u, -12);
    n = (i / 2u) % p.Np;
  }
  scales[i] = select(0u, word, n < p.N);
}
