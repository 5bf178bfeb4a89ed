// Moves whole rows of a (rows, C) matrix: gather takes the listed rows (supervised rows before the head),
// scatter_add adds them at their places in another matrix (its gradient), scatter writes them there (new keys and values
// into the cache), copy moves a block of floats. No row is listed twice.
override WG: u32 = 64u;

struct Params { count: u32, c4: u32, from0: u32, to0: u32 } // c4: vec4 elements in a row; offsets in vec4

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

@group(0) @binding(1) var<storage, read_write> destination: array<vec4f>;
@group(0) @binding(2) var<uniform> pc: Params;

@compute @workgroup_size(WG)
fn gather(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < p.c4) {
    output[id.y * p.c4 + id.x] = input[index[id.y] * p.c4 + id.x];
  }
}

@compute @workgroup_size(WG)
fn scatter_add(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < p.c4) {
    output[index[id.y] * p.c4 + id.x] += input[id.y * p.c4 + id.x];
  }
}

@compute @workgroup_size(WG)
fn scatter(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < p.c4) {
    output[index[id.y] * p.c4 + id.x] = input[id.y * p.c4 + id.x];
  }
}

@compute @workgroup_size(WG)
fn copy(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < pc.c4) {
    let at = id.y * pc.c4 + id.x;
    destination[pc.to0 + at] = input[pc.from0 + at];
  }
}
