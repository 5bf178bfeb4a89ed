// Dequantization of the four weight layouts (n fastest; Np outputs, a multiple of 8):
//   0 q4   words[(k/8)*Np+n] nibbles; scales[(k/32)*Np+n] = f16 d | f16 m << 16;              w = d*q + m
//          SYMMETRIC (Q4_0): scales[(k/64)*Np+n] = f16 d of the even, then the odd 32-block;   w = d*q - 8*d
//   1 q4k  words as q4; scales [(k/256)*Np+n] = f16 d | f16 dmin << 16, then from (K/256)*Np
//          [(k/64)*Np+n] = bytes sc, m of the even then the odd 32-block;                      w = (d*sc)*q - dmin*m
//   2 q8   words[(k/4)*Np+n] signed bytes; scales pairs of f32 bits at 2*((k/32)*Np+n):
//          (scale, min);                                                                       w = scale*q + min
//          HALVES (Q6_K): words[(k/8)*Np+n] low nibbles, then from (K/8)*Np [(k/16)*Np+n] pairs of high bits;
//          scales [(k/256)*Np+n] = f16 d, then from (K/256)*Np [(k/64)*Np+n] = signed bytes sc of 16 inputs each;
//                                                                                              w = (d*sc)*(q - 32)
//   3 f32  words[k*Np+n] = f32 bits
// Uses the bindings `words`, `scales` (array<u32>) and the overrides LAYOUT and HALVES of the importing shader.
override SYMMETRIC: bool = false;
// #ifdef is for device features only, so the layout is an override: the compiler drops the other branches.

// unpack2x16float may flush subnormals, which occur in K-quant scales: decode with integer arithmetic.
fn f16_bits(h: vec4u) -> vec4f {
  let normal = bitcast<vec4f>(((h & vec4u(0x7fffu)) << vec4u(13u)) + vec4u(0x38000000u));
  let subnormal = vec4f(h & vec4u(0x3ffu)) * 5.9604644775390625e-8;
  let magnitude = select(normal, subnormal, (h & vec4u(0x7c00u)) == vec4u(0u));
  return select(magnitude, -magnitude, (h & vec4u(0x8000u)) != vec4u(0u));
}

struct ScaleMin { scale: vec4f, low: vec4f }

// HALVES: scales of the 16 inputs holding k, for outputs n..n+3.
fn half_scale4(k: u32, n: u32, K: u32, Np: u32) -> vec4f {
  let d = f16_bits(scales[((k / 256u) * Np + n) / 4u] & vec4u(0xffffu));
  let bytes = bitcast<vec4i>(scales[((K / 256u) * Np + (k / 64u) * Np + n) / 4u]);
  return d * vec4f((bytes << vec4u(24u - 8u * ((k / 16u) & 3u))) >> vec4u(24u));
}

// HALVES: the high bits of weights k..k+7 of outputs n..n+3, two each from bit 0.
fn high_bits4(k: u32, n: u32, K: u32, Np: u32) -> vec4u {
  return words[((K / 8u) * Np + (k / 16u) * Np + n) / 4u] >> vec4u(2u * (k & 8u));
}

// Scale and additive minimum of the 32-block holding k, for outputs n..n+3 (n a multiple of 4).
fn scale_min4(k: u32, n: u32, K: u32, Np: u32) -> ScaleMin {
  if (LAYOUT == 0u && SYMMETRIC) {
    let d = f16_bits((scales[((k / 64u) * Np + n) / 4u] >> vec4u(((k / 32u) & 1u) * 16u)) & vec4u(0xffffu));
    return ScaleMin(d, -8.0 * d);
  } else if (LAYOUT == 0u) {
    let word = scales[((k / 32u) * Np + n) / 4u];
    return ScaleMin(f16_bits(word & vec4u(0xffffu)), f16_bits(word >> vec4u(16u)));
  } else if (LAYOUT == 1u) {
    let word = scales[((k / 256u) * Np + n) / 4u];
    let sub = scales[((K / 256u) * Np + (k / 64u) * Np + n) / 4u] >> vec4u(((k / 32u) & 1u) * 16u);
    let scale = f16_bits(word & vec4u(0xffffu)) * vec4f(sub & vec4u(0xffu));
    let low = f16_bits(word >> vec4u(16u)) * vec4f((sub >> vec4u(8u)) & vec4u(0xffu));
    return ScaleMin(scale, -low);
  } else if (LAYOUT == 2u && HALVES) {
    return ScaleMin(half_scale4(k, n, K, Np), vec4f(0.0));
  } else if (LAYOUT == 2u) {
    let at = ((k / 32u) * Np + n) / 2u;
    let a = bitcast<vec4f>(scales[at]);
    let b = bitcast<vec4f>(scales[at + 1u]);
    return ScaleMin(vec4f(a.x, a.z, b.x, b.z), vec4f(a.y, a.w, b.y, b.w));
  }
  return ScaleMin(vec4f(1.0), vec4f(0.0));
}

// The two scales of one output n in the 32-block holding k: (scale, low), or with HALVES those of the block's halves.
fn scale_pair(k: u32, n: u32, K: u32, Np: u32) -> vec2f {
  if (LAYOUT == 0u && SYMMETRIC) {
    let word = scales[((k / 64u) * Np + n) / 4u][n % 4u] >> (((k / 32u) & 1u) * 16u);
    let d = f16_bits(vec4u(word & 0xffffu)).x;
    return vec2f(d, -8.0 * d);
  } else if (LAYOUT == 0u) {
    let word = scales[((k / 32u) * Np + n) / 4u][n % 4u];
    return f16_bits(vec4u(word & 0xffffu, word >> 16u, 0u, 0u)).xy;
  } else if (LAYOUT == 1u) {
    let word = scales[((k / 256u) * Np + n) / 4u][n % 4u];
    let sub = scales[((K / 256u) * Np + (k / 64u) * Np + n) / 4u][n % 4u] >> (((k / 32u) & 1u) * 16u);
    let outer = f16_bits(vec4u(word & 0xffffu, word >> 16u, 0u, 0u)).xy;
    return outer * vec2f(f32(sub & 0xffu), -f32((sub >> 8u) & 0xffu));
  } else if (LAYOUT == 2u && HALVES) {
    let d = f16_bits(vec4u(scales[((k / 256u) * Np + n) / 4u][n % 4u] & 0xffffu)).x;
    let bytes = bitcast<i32>(scales[((K / 256u) * Np + (k / 64u) * Np + n) / 4u][n % 4u]) >> (16u * ((k / 32u) & 1u));
    return d * vec2f(f32((bytes << 24u) >> 24u), f32((bytes << 16u) >> 24u));
  } else if (LAYOUT == 2u) {
    let at = 2u * ((k / 32u) * Np + n);
    return bitcast<vec2f>(vec2u(scales[at / 4u][at % 4u], scales[at / 4u][at % 4u + 1u]));
  }
  return vec2f(1.0, 0.0);
}

// One weight, dequantized: input k of output n.
fn weight_at(k: u32, n: u32, K: u32, Np: u32) -> f32 {
  if (LAYOUT == 3u) {
    return bitcast<f32>(words[(k * Np + n) / 4u][n % 4u]);
  }
  let s = scale_min4(k, n & ~3u, K, Np);
  if (LAYOUT == 2u && HALVES) {
    let low = (words[((k / 8u) * Np + n) / 4u][n % 4u] >> (4u * (k % 8u))) & 15u;
    let high = (high_bits4(k, n & ~3u, K, Np)[n % 4u] >> (2u * (k % 8u))) & 3u;
    return (f32(low | (high << 4u)) - 32.0) * s.scale[n % 4u];
  } else if (LAYOUT == 2u) {
    let word = bitcast<i32>(words[((k / 4u) * Np + n) / 4u][n % 4u]);
    return f32((word << (24u - 8u * (k % 4u))) >> 24u) * s.scale[n % 4u] + s.low[n % 4u];
  }
  let word = words[((k / 8u) * Np + n) / 4u][n % 4u];
  return f32((word >> (4u * (k % 8u))) & 15u) * s.scale[n % 4u] + s.low[n % 4u];
}

// Weights k…k+7 of outputs n…n+3 before scaling: element i holds weight k+i of the four outputs.
fn load_8x4(k: u32, n: u32, K: u32, Np: u32) -> array<vec4f, 8> {
  var w: array<vec4f, 8>;
  if (LAYOUT <= 1u) {
    let word = words[((k / 8u) * Np + n) / 4u];
    for (var i = 0u; i < 8u; i++) {
      w[i] = vec4f((word >> vec4u(4u * i)) & vec4u(15u));
    }
  } else if (LAYOUT == 2u && HALVES) {
    let low = words[((k / 8u) * Np + n) / 4u];
    let high = high_bits4(k, n, K, Np);
    for (var i = 0u; i < 8u; i++) {
      let q = ((low >> vec4u(4u * i)) & vec4u(15u)) | (((high >> vec4u(2u * i)) & vec4u(3u)) << vec4u(4u));
      w[i] = vec4f(q) - vec4f(32.0);
    }
  } else if (LAYOUT == 2u) {
    let first = bitcast<vec4i>(words[((k / 4u) * Np + n) / 4u]);
    let last = bitcast<vec4i>(words[((k / 4u + 1u) * Np + n) / 4u]);
    for (var i = 0u; i < 4u; i++) {
      w[i] = vec4f((first << vec4u(24u - 8u * i)) >> vec4u(24u));
      w[i + 4u] = vec4f((last << vec4u(24u - 8u * i)) >> vec4u(24u));
    }
  } else {
    for (var i = 0u; i < 8u; i++) {
      // K may end inside a step of 8; what lies past it must not meet the next row's x.
      w[i] = select(vec4f(0.0), bitcast<vec4f>(words[(min(k + i, K - 1u) * Np + n) / 4u]), k + i < K);
    }
  }
  return w;
}

// The same, dequantized. Quant times scale is exact in f32 (at most 22 bits) wherever a minimum is added, so that fma
// rounds as product and sum do; it is spelled out because a software adapter's compiler does not fuse them.
fn weights_8x4(k: u32, n: u32, s: ScaleMin, K: u32, Np: u32) -> array<vec4f, 8> {
  var w = load_8x4(k, n, K, Np);
  if (LAYOUT != 3u) {
    for (var i = 0u; i < 8u; i++) {
      w[i] = fma(w[i], s.scale, s.low);
    }
  }
  return w;
}

// Four quants of output n+j.
fn dequantized4(q: vec4f, s: ScaleMin, j: u32) -> vec4f {
  return fma(q, vec4f(s.scale[j]), vec4f(s.low[j]));
}

// Weights k…k+7 of outputs n…n+3, dequantized, transposed: element 2j holds k…k+3 of output n+j, 2j+1 holds k+4…k+7.
fn weights_4x8(k: u32, n: u32, s: ScaleMin, K: u32, Np: u32) -> array<vec4f, 8> {
  var w: array<vec4f, 8>;
  if (LAYOUT <= 1u) {
    let word = words[((k / 8u) * Np + n) / 4u];
    for (var j = 0u; j < 4u; j++) {
      w[2u * j] = dequantized4(vec4f((vec4u(word[j]) >> vec4u(0u, 4u, 8u, 12u)) & vec4u(15u)), s, j);
      w[2u * j + 1u] = dequantized4(vec4f((vec4u(word[j]) >> vec4u(16u, 20u, 24u, 28u)) & vec4u(15u)), s, j);
    }
  } else if (LAYOUT == 2u && HALVES) {
    let low = words[((k / 8u) * Np + n) / 4u];
    let high = high_bits4(k, n, K, Np);
    for (var j = 0u; j < 4u; j++) {
      let lo = (vec4u(low[j]) >> vec4u(0u, 4u, 8u, 12u)) & vec4u(15u);
      let hi = (vec4u(low[j]) >> vec4u(16u, 20u, 24u, 28u)) & vec4u(15u);
      let lo_high = (vec4u(high[j]) >> vec4u(0u, 2u, 4u, 6u)) & vec4u(3u);
      let hi_high = (vec4u(high[j]) >> vec4u(8u, 10u, 12u, 14u)) & vec4u(3u);
      w[2u * j] = (vec4f(lo | (lo_high << vec4u(4u))) - vec4f(32.0)) * s.scale[j];
      w[2u * j + 1u] = (vec4f(hi | (hi_high << vec4u(4u))) - vec4f(32.0)) * s.scale[j];
    }
  } else if (LAYOUT == 2u) {
    let first = bitcast<vec4i>(words[((k / 4u) * Np + n) / 4u]);
    let last = bitcast<vec4i>(words[((k / 4u + 1u) * Np + n) / 4u]);
    let up = vec4u(24u, 16u, 8u, 0u);
    for (var j = 0u; j < 4u; j++) {
      w[2u * j] = dequantized4(vec4f((vec4i(first[j]) << up) >> vec4u(24u)), s, j);
      w[2u * j + 1u] = dequantized4(vec4f((vec4i(last[j]) << up) >> vec4u(24u)), s, j);
    }
  } else {
    let t = load_8x4(k, n, K, Np);
    for (var j = 0u; j < 4u; j++) {
      w[2u * j] = vec4f(t[0][j], t[1][j], t[2][j], t[3][j]);
      w[2u * j + 1u] = vec4f(t[4][j], t[5][j], t[6][j], t[7][j]);
    }
  }
  return w;
}

// u·w[0…3] + v·w[4…7] of four outputs; fma is spelled out because a software adapter's compiler fuses no product and sum.
fn dot_8x4(u: vec4f, v: vec4f, w: array<vec4f, 8>) -> vec4f {
  let first = fma(vec4f(u.w), w[3], fma(vec4f(u.z), w[2], fma(vec4f(u.y), w[1], u.x * w[0])));
  return fma(vec4f(v.w), w[7], fma(vec4f(v.z), w[6], fma(vec4f(v.y), w[5], fma(vec4f(v.x), w[4], first))));
}
