// AdamW with decoupled decay (arXiv:1711.05101) as torch.optim.AdamW computes it, after clipping to the
// global norm:
//   g *= scale;  g *= min(1, max_norm / (norm + 1e-6))
//   p *= 1 - lr wd;  m += (g - m)(1 - b1);  v = b2 v + (1 - b2) g^2
//   p -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
// Nothing is changed where this step failed or one ahead of it (stats[2]). Parameters from B_START on, the B
// matrices, use lr_b.
// Buffers: p, m, v [COUNT], read and written; g [COUNT]; scalars (lr_a, lr_b, weight_decay, max_norm or 0, 1
//   - b1^t, sqrt(1 - b2^t), scale); stats (loss, norm^2 before scale, failed or 0).
// Constants: COUNT, B_START, BETA2, EPS; BETA1_REST and BETA2_REST are 1 - b1 and 1 - b2, rounded once.
// Threads: one invocation an element.
#include "lib/grid.wgsl"
@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(1) var<storage, read_write> m: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<f32>;
@group(0) @binding(3) var<storage, read> g: array<f32>;
@group(0) @binding(4) var<storage, read> scalars: array<f32>;
@group(0) @binding(5) var<storage, read> stats: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_index(group, groups, local, 64u);
  if (i >= COUNT || stats[2] != 0.0) {
    return;
  }
  var gradient = g[i] * scalars[6];
  if (scalars[3] > 0.0) {
    gradient *= min(1.0, scalars[3] / (sqrt(stats[1]) * scalars[6] + 1e-6));
  }
  let rate = select(scalars[0], scalars[1], i >= B_START);
  let mean = m[i] + (gradient - m[i]) * BETA1_REST;
  let square = v[i] * BETA2 + gradient * gradient * BETA2_REST;
  m[i] = mean;
  v[i] = square;
  p[i] = p[i] * (1.0 - rate * scalars[2]) - rate / scalars[4] * mean / (sqrt(square) / scalars[5] + EPS);
}
