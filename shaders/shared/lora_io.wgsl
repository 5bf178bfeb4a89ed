// What the families of LoRA kernels share: parameters, bindings, and dropout by place.
struct Params {
  rows: u32,
  R: u32, // a multiple of 4
  C: u32, // columns of x and y (K or N), a multiple of 4
  scale: f32,
  seed: u32,
  threshold: u32, // dropout rate · 2³²; 0: none
  keep: f32,      // 1 / (1 - rate)
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> m: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

@group(0) @binding(1) var<storage, read> xg: array<vec4f>;

#import shared/random

fn dropped(value: vec4f, index: u32) -> vec4f {
  if (p.threshold == 0u) {
    return value;
  }
  return value * dropout_factor4(p.seed, index, p.threshold, p.keep);
}
