// Rotary position embedding (Su et al. 2021) in GGUF's interleaved order: pairs (2i, 2i+1) of each head turn by
// angle(position, i). In place on x (T, H·D). Backward is the turn by the negative angle (sign = -1).
// The table holds (cos, sin) for each position and pair, made on the CPU in f64 (theta, llama3 scaling).
override WG: u32 = 64u;

struct Params { rows: u32, width: u32, D: u32, sign: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<vec2f>;
@group(0) @binding(1) var<storage, read> table: array<vec2f>; // (positions, D/2)
@group(0) @binding(2) var<storage, read> positions: array<u32>; // (T)
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn rotate(@builtin(global_invocation_id) id: vec3u) {
  let pairs = p.width / 2u;
  let pair = id.x;
  let row = id.y;
  if (pair >= pairs) {
    return;
  }
  let half = p.D / 2u;
  let turn = table[positions[row] * half + pair % half] * vec2f(1.0, p.sign);
  let at = row * pairs + pair;
  let v = x[at];
  x[at] = vec2f(v.x * turn.x - v.y * turn.y, v.x * turn.y + v.y * turn.x);
}
