// Quantized linear layer, both directions, with linear.wgsl's bindings and parameters, for GPUs: tiles of x or dY and of
// dequantized weights lie in workgroup memory as f32 (shared/linear_tiles.wgsl has the loops). Sums run over the inputs
// one by one, in f32.
// Workgroup memory: STEP · (8·WG_Y + 4·WG_X) · 4 bytes, at most the 16 KiB that WebGPU guarantees.
override WG_X: u32 = 16u;
override WG_Y: u32 = 8u;
override STEP: u32 = 32u;

const RUN = 4u;
alias Tile4 = vec4f;

#import shared/linear_tiles

fn put_rows(step: u32, rows4: u32, a: Run, b: Run, c: Run, d: Run) {
  for (var i = 0u; i < RUN; i++) {
    left[(step + i) * (2u * WG_Y) + rows4] = vec4f(a[0][i], b[0][i], c[0][i], d[0][i]);
  }
}

fn tiled(w: vec4f) -> vec4f {
  return w;
}

fn add_tile(sums: ptr<function, Sums>, tile: vec2u) {
  for (var step = 0u; step < STEP; step++) {
    let w = weights[step * WG_X + tile.x];
    let at = step * (2u * WG_Y) + 2u * tile.y;
    let a = left[at];
    let b = left[at + 1u];
    for (var r = 0u; r < 4u; r++) {
      (*sums)[r] = fma(vec4f(a[r]), w, (*sums)[r]);
      (*sums)[r + 4u] = fma(vec4f(b[r]), w, (*sums)[r + 4u]);
    }
  }
}
