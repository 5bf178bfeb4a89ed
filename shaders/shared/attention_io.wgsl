// What the attention kernels share: parameters and bindings of all passes.
const MAX_D4 = 32u;
const NONE = 0xffffffffu; // above a root
// Below every score, and far enough from f32's end that no difference or product inside exp overflows: WGSL lets a
// compiler assume that nothing does.
const LOWEST = -1e30;

struct Params { first: u32, rows: u32, heads: u32, kvHeads: u32, D: u32, scale: f32 } // D: a multiple of 4, at most 128

@group(0) @binding(0) var<storage, read> q: array<vec4f>;
@group(0) @binding(1) var<storage, read> k: array<vec4f>;
@group(0) @binding(2) var<storage, read> v: array<vec4f>;
@group(0) @binding(3) var<storage, read> segments: array<vec4u>;
@group(0) @binding(5) var<storage, read_write> stats: array<vec2f>;

@group(0) @binding(4) var<storage, read_write> o: array<vec4f>; // forward
@group(0) @binding(6) var<uniform> p: Params;

@group(0) @binding(4) var<storage, read> d_o: array<vec4f>; // both backward passes
@group(0) @binding(8) var<uniform> pb: Params;

@group(0) @binding(6) var<storage, read> o_saved: array<vec4f>; // backward_q
@group(0) @binding(7) var<storage, read_write> dq: array<vec4f>;

@group(0) @binding(5) var<storage, read> stats_saved: array<vec2f>; // backward_kv
@group(0) @binding(6) var<storage, read_write> dk: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dv: array<vec4f>;
