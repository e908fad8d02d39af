// A product of few rows alone.
fn up_of(n: u32, lane: u32) -> vec4f {
  return vec4f();
}

fn added(row: u32, lane: u32, up: vec4f) -> f32 {
  return 0.0;
}
