// SiLU: x sigmoid(x), and its derivative.
fn activation(x: Element) -> Element {
  return x / (1.0 + exp(-x));
}

fn activation_slope(x: Element) -> Element {
  let s = 1.0 / (1.0 + exp(-x));
  return s * (1.0 + x * (1.0 - s));
}
