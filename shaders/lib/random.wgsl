// Counter-based uniform numbers, the twin of src/lib/counterRandom.ts: the same keys give the same bits. The
// mixer is lowbias32 (C. Wellons, "Prospecting for Hash Functions").
fn mix32(key: u32) -> u32 {
  var x = key;
  x ^= x >> 16u;
  x *= 0x7feb352du;
  x ^= x >> 15u;
  x *= 0x846ca68bu;
  x ^= x >> 16u;
  return x;
}

fn random_key(state: u32, key: u32) -> u32 {
  return mix32(state ^ mix32(key + 0x9e3779b9u));
}

// The state of a token's random numbers at a place in the model. It depends on nothing else, so that packing
// and neighbours do not change it, and recomputation sees the same one. Its keys to come are columns.
fn token_key(seed: u32, step: u32, site: u32, document: u32, position: u32) -> u32 {
  let step_key = random_key(random_key(mix32(seed), step), site);
  return random_key(random_key(step_key, document), position);
}

// Uniform in [0, 1), with 24 bits.
fn random_unit(state: u32) -> f32 {
  return f32(mix32(state) >> 8u) * (1.0 / 16777216.0);
}
