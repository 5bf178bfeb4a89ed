// Quantized linear layer, both directions, with linear.wgsl's bindings and parameters, for GPUs whose f16 is twice as fast
// as f32: the tiles in workgroup memory hold f16, half the bytes to keep and to read, and eight steps are multiplied and
// summed in f16 before they are added to f32 sums (shared/linear_tiles.wgsl has the loops).
//
// Numbers. Eight steps of a row are kept as x / unit, the unit being the power of two below the largest of them: |x / unit|
// < 2 whatever the size of x, so that neither massive activations nor small gradients leave f16's range, and the unit
// returns for nothing in the fma that adds the eight. What is 2^14 times smaller than the largest of its eight may become
// 0, an eighth of that one's own rounding. Weights are put as they are, cut to ±2000: 8 · 4 · 2000 is within f16
// (4, since the largest f32s of all have half the unit they should); those of models lie below 100, and the ones below
// 6e-5 that may become 0 are much smaller than the rest. x, w and each of eight sums are rounded to 11 bits: y and dX are off
// by about 6e-4 of their rms, for any K. What is not finite in x or dY leaves no value of its row finite.
// Workgroup memory: STEP · (8·WG_Y + 4·WG_X) · 2 + 4 · STEP · WG_Y bytes, at most the 16 KiB that WebGPU guarantees. So a
// tile has twice the columns that fit in f32; passes have few rows, and matrices many columns.
enable f16;

override WG_X: u32 = 32u;
override WG_Y: u32 = 8u;
override STEP: u32 = 32u;

const RUN = 8u;
alias Tile4 = vec4h;

#import shared/linear_tiles

const WEIGHT_LIMIT = vec4f(2000.0);

// The unit of each RUN steps of four rows, [step / RUN][row / 4].
var<workgroup> units: array<vec4f, STEP / RUN * 2u * WG_Y>;

// The exponent of a run's unit, as f32 has it; 255 where a value is not finite.
fn exponent(run: Run) -> u32 {
  let sizes = max(bitcast<vec4u>(run[0]) & vec4u(0x7fffffffu), bitcast<vec4u>(run[1]) & vec4u(0x7fffffffu));
  let largest = max(max(sizes.x, sizes.y), max(sizes.z, sizes.w)) >> 23u;
  // From 1 to 253 both the unit and one over it are normal numbers.
  return select(clamp(largest, 1u, 253u), 255u, largest == 255u);
}

fn put_rows(step: u32, rows4: u32, a: Run, b: Run, c: Run, d: Run) {
  let exponents = vec4u(exponent(a), exponent(b), exponent(c), exponent(d));
  // Infinity where something is not finite: it makes of any sum what is not finite.
  units[step / RUN * (2u * WG_Y) + rows4] = bitcast<vec4f>(exponents << vec4u(23u));
  let inverse = bitcast<vec4f>((vec4u(254u) - min(exponents, vec4u(253u))) << vec4u(23u));
  for (var i = 0u; i < RUN; i++) {
    let values = vec4f(a[i / 4u][i % 4u], b[i / 4u][i % 4u], c[i / 4u][i % 4u], d[i / 4u][i % 4u]);
    left[(step + i) * (2u * WG_Y) + rows4] = vec4h(values * inverse);
  }
}

fn tiled(w: vec4f) -> vec4h {
  return vec4h(clamp(w, -WEIGHT_LIMIT, WEIGHT_LIMIT));
}

fn add_tile(sums: ptr<function, Sums>, tile: vec2u) {
  for (var first = 0u; first < STEP; first += RUN) {
    // Zeros spelled out: left to the declaration, Dawn puts them there once, not in every turn of the loop.
    var short = array<vec4h, ROWS>();
    for (var step = first; step < first + RUN; step++) {
      let w = weights[step * WG_X + tile.x];
      let at = step * (2u * WG_Y) + 2u * tile.y;
      let a = left[at];
      let b = left[at + 1u];
      for (var r = 0u; r < 4u; r++) {
        short[r] = fma(vec4h(a[r]), w, short[r]);
        short[r + 4u] = fma(vec4h(b[r]), w, short[r + 4u]);
      }
    }
    let at = first / RUN * (2u * WG_Y) + 2u * tile.y;
    let a = units[at];
    let b = units[at + 1u];
    for (var r = 0u; r < 4u; r++) {
      (*sums)[r] = fma(vec4f(short[r]), vec4f(a[r]), (*sums)[r]);
      (*sums)[r + 4u] = fma(vec4f(short[r + 4u]), vec4f(b[r]), (*sums)[r + 4u]);
    }
  }
}
