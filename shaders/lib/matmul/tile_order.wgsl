// Which tile of C a workgroup of a grid of TILES_X by TILES_Y makes. Workgroups that run at the same time
// take a band of BAND rows of tiles, column after column, so that they share what they read in the caches.
const BAND: u32 = 8u;

// Returns the tile's place in x and in y.
fn tile_of(group: vec3u) -> vec2u {
  let index = group.y * TILES_X + group.x;
  let band = index / (BAND * TILES_X);
  let within = index % (BAND * TILES_X);
  let rows = min(BAND, TILES_Y - band * BAND);
  return vec2u(within / rows, band * BAND + within % rows);
}
