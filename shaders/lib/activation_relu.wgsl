// ReLU: max(x, 0), and its derivative, 0 at 0.
fn activation(x: Element) -> Element {
  return max(x, Element(0.0));
}

fn activation_slope(x: Element) -> Element {
  return select(Element(0.0), Element(1.0), x > Element(0.0));
}
