// LoRA (Hu et al. 2021): y += s·(drop(x)·Aᵀ)·Bᵀ with A (R,K) and B kept transposed, Bt (R,N); s = alpha/rank.
// R is the rank rounded up to a multiple of 4 with zero rows, which stay zero in training.
// Three products serve forward and backward:
//   down  out (T,R)  = s·drop(x) (T,K)·m (R,K)ᵀ      forward x·Aᵀ;     backward dxa = s·dY·Bt ᵀ
//   up    y   (T,N) += s·drop(h (T,R)·m (R,N))       forward xa·Bt;    backward dX += drop(dxa·A)
//   grad  g   (R,N) += s·h (T,R)ᵀ·drop(x) (T,N)      dA = dxaᵀ·drop(x); dBt = s·xaᵀ·dY
// Dropout (threshold > 0) hits x in down and grad, and the sum in up; index = row·columns + column.
override WG: u32 = 32u;

#import shared/lora_io

@group(0) @binding(0) var<storage, read> h: array<f32>;

// Each invocation: one row × four ranks.
@compute @workgroup_size(WG)
fn down(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  let r = id.y * 4u;
  if (row >= p.rows) {
    return;
  }
  let c4 = p.C / 4u;
  var sum = vec4f(0.0);
  for (var c = 0u; c < c4; c++) {
    let v = dropped(x[row * c4 + c], row * p.C + 4u * c);
    sum += vec4f(
      dot(v, m[r * c4 + c]),
      dot(v, m[(r + 1u) * c4 + c]),
      dot(v, m[(r + 2u) * c4 + c]),
      dot(v, m[(r + 3u) * c4 + c]),
    );
  }
  out[(row * p.R + r) / 4u] = p.scale * sum;
}

// Each invocation: one row × four columns.
@compute @workgroup_size(WG)
fn up(@builtin(global_invocation_id) id: vec3u) {
  let c4 = p.C / 4u;
  let c = id.x;
  let row = id.y;
  if (c >= c4) {
    return;
  }
  var sum = vec4f(0.0);
  for (var r = 0u; r < p.R; r++) {
    sum += h[row * p.R + r] * m[r * c4 + c];
  }
  out[row * c4 + c] += p.scale * dropped(sum, row * p.C + 4u * c);
}

// Each invocation: four ranks × four columns, over all rows.
@compute @workgroup_size(WG)
fn grad(@builtin(global_invocation_id) id: vec3u) {
  let c4 = p.C / 4u;
  let c = id.x;
  let r = id.y * 4u;
  if (c >= c4) {
    return;
  }
  var sums: array<vec4f, 4>;
  for (var row = 0u; row < p.rows; row++) {
    let v = dropped(xg[row * c4 + c], row * p.C + 4u * c);
    for (var i = 0u; i < 4u; i++) {
      sums[i] += h[row * p.R + r + i] * v;
    }
  }
  for (var i = 0u; i < 4u; i++) {
    out[(r + i) * c4 + c] += p.scale * sums[i];
  }
}
