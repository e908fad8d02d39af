// GELU by tanh (gelu_pytorch_tanh), and its derivative.
const ROOT_2_OVER_PI: f32 = 0.7978845608028654;

fn activation(x: Element) -> Element {
  let u = clamp(ROOT_2_OVER_PI * (x + 0.044715 * x * x * x), Element(-20.0), Element(20.0));
  return 0.5 * x * (1.0 + tanh(u));
}

fn activation_slope(x: Element) -> Element {
  let t = tanh(clamp(ROOT_2_OVER_PI * (x + 0.044715 * x * x * x), Element(-20.0), Element(20.0)));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * ROOT_2_OVER_PI * (1.0 + 3.0 * 0.044715 * x * x);
}
