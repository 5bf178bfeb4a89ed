// Dequantization of the four weight layouts (n fastest; Np outputs, a multiple of 8):
//   0 q4   words[(k/8)*Np+n] nibbles; scales[(k/32)*Np+n] = f16 d | f16 m << 16;              w = d*q + m
//   1 q4k  words as q4; scales [(k/256)*Np+n] = f16 d | f16 dmin << 16, then from (K/256)*Np
//          [(k/64)*Np+n] = bytes sc, m of the even then the odd 32-block;                      w = (d*sc)*q - dmin*m
//   2 q8   words[(k/4)*Np+n] signed bytes; scales pairs of f32 bits at 2*((k/32)*Np+n):
//          (scale, min), or with HALVES the scales of the first and last 16 of 32;             w = scale*q + min
//   3 f32  words[k*Np+n] = f32 bits
// Uses the bindings `words`, `scales` (array<u32>) and the overrides LAYOUT and HALVES of the importing shader.
// #ifdef is for device features only, so the layout is an override: the compiler drops the other branches.

// unpack2x16float may flush subnormals, which occur in K-quant scales: decode with integer arithmetic.
fn f16_bits(h: vec4u) -> vec4f {
  let normal = bitcast<vec4f>(((h & vec4u(0x7fffu)) << vec4u(13u)) + vec4u(0x38000000u));
  let subnormal = vec4f(h & vec4u(0x3ffu)) * 5.9604644775390625e-8;
  let magnitude = select(normal, subnormal, (h & vec4u(0x7c00u)) == vec4u(0u));
  return select(magnitude, -magnitude, (h & vec4u(0x8000u)) != vec4u(0u));
}

struct ScaleMin { scale: vec4f, low: vec4f }

// Scale and additive minimum of the 32-block holding k, for outputs n..n+3 (n a multiple of 4).
fn scale_min4(k: u32, n: u32, K: u32, Np: u32) -> ScaleMin {
  if (LAYOUT == 0u) {
    let word = scales[((k / 32u) * Np + n) / 4u];
    return ScaleMin(f16_bits(word & vec4u(0xffffu)), f16_bits(word >> vec4u(16u)));
  } else if (LAYOUT == 1u) {
    let word = scales[((k / 256u) * Np + n) / 4u];
    let sub = scales[((K / 256u) * Np + (k / 64u) * Np + n) / 4u] >> vec4u(((k / 32u) & 1u) * 16u);
    let scale = f16_bits(word & vec4u(0xffffu)) * vec4f(sub & vec4u(0xffu));
    let low = f16_bits(word >> vec4u(16u)) * vec4f((sub >> vec4u(8u)) & vec4u(0xffu));
    return ScaleMin(scale, -low);
  } else if (LAYOUT == 2u) {
    let at = ((k / 32u) * Np + n) / 2u;
    let a = bitcast<vec4f>(scales[at]);
    let b = bitcast<vec4f>(scales[at + 1u]);
    if (HALVES) {
      return ScaleMin(select(vec4f(a.x, a.z, b.x, b.z), vec4f(a.y, a.w, b.y, b.w), (k & 16u) != 0u), vec4f(0.0));
    }
    return ScaleMin(vec4f(a.x, a.z, b.x, b.z), vec4f(a.y, a.w, b.y, b.w));
  }
  return ScaleMin(vec4f(1.0), vec4f(0.0));
}

// One weight, dequantized: input k of output n.
fn weight_at(k: u32, n: u32, K: u32, Np: u32) -> f32 {
  if (LAYOUT == 3u) {
    return bitcast<f32>(words[(k * Np + n) / 4u][n % 4u]);
  }
  let s = scale_min4(k, n & ~3u, K, Np);
  if (LAYOUT == 2u) {
    let word = bitcast<i32>(words[((k / 4u) * Np + n) / 4u][n % 4u]);
    return f32((word << (24u - 8u * (k % 4u))) >> 24u) * s.scale[n % 4u] + s.low[n % 4u];
  }
  let word = words[((k / 8u) * Np + n) / 4u][n % 4u];
  return f32((word >> (4u * (k % 8u))) & 15u) * s.scale[n % 4u] + s.low[n % 4u];
}
