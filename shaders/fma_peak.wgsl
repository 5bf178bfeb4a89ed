// What an adapter's arithmetic can do at most: chains of fma that do not depend on one another, and no memory traffic.
// Each invocation carries CHAINS vectors, x ← x·0.5 + c, `steps` times; that converges to 2c, so that nothing overflows
// however long it runs. 8 operations a vector and step (four products, four sums).
override CHAINS: u32 = 4u;
override WG: u32 = 64u;

// Steps between two looks at the loop's counter.
const UNROLLED = 16u;

struct Params {
  count: u32, // invocations
  steps: u32, // a multiple of UNROLLED
  c: f32,
}

@group(0) @binding(0) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn run(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.count) {
    return;
  }
  // Chains differ, or a compiler would make one of them.
  var x: array<vec4f, 8>;
  for (var i = 0u; i < CHAINS; i++) {
    x[i] = vec4f(0.0, 1.0, 2.0, 3.0) + f32(i + id.x % 4u);
  }
  let half = vec4f(0.5);
  let c = vec4f(p.c);
  for (var step = 0u; step < p.steps; step += UNROLLED) {
    for (var j = 0u; j < UNROLLED; j++) {
      for (var i = 0u; i < CHAINS; i++) {
        x[i] = fma(x[i], half, c);
      }
    }
  }
  var sum = vec4f(0.0);
  for (var i = 0u; i < CHAINS; i++) {
    sum += x[i];
  }
  sums[id.x] = sum;
}
