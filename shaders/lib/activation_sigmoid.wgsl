// The logistic function 1 / (1 + exp(-x)), and its derivative.
fn activation(x: Element) -> Element {
  return 1.0 / (1.0 + exp(-x));
}

fn activation_slope(x: Element) -> Element {
  let s = 1.0 / (1.0 + exp(-x));
  return s * (1.0 - s);
}
