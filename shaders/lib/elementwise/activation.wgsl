// The activation of a gated layer (ACTIVATION) and its derivative, on Element: one number, or four at once
// (VECTOR_WIDTH 4).
#if VECTOR_WIDTH == 4
alias Element = vec4f;
#else
alias Element = f32;
#endif

#if ACTIVATION == silu
// SiLU: x sigmoid(x).
fn activation(x: Element) -> Element {
  return x / (1.0 + exp(-x));
}

fn activation_slope(x: Element) -> Element {
  let s = 1.0 / (1.0 + exp(-x));
  return s * (1.0 + x * (1.0 - s));
}
#elif ACTIVATION == gelu_tanh
// GELU by tanh, gelu_pytorch_tanh in transformers.
const ROOT_2_OVER_PI: f32 = 0.7978845608028654;

fn activation(x: Element) -> Element {
  let u = clamp(ROOT_2_OVER_PI * (x + 0.044715 * x * x * x), Element(-20.0), Element(20.0));
  return 0.5 * x * (1.0 + tanh(u));
}

fn activation_slope(x: Element) -> Element {
  let t = tanh(clamp(ROOT_2_OVER_PI * (x + 0.044715 * x * x * x), Element(-20.0), Element(20.0)));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * ROOT_2_OVER_PI * (1.0 + 3.0 * 0.044715 * x * x);
}
#elif ACTIVATION == sigmoid
// The logistic function 1 / (1 + exp(-x)).
fn activation(x: Element) -> Element {
  return 1.0 / (1.0 + exp(-x));
}

fn activation_slope(x: Element) -> Element {
  let s = 1.0 / (1.0 + exp(-x));
  return s * (1.0 - s);
}
#elif ACTIVATION == relu
// ReLU: max(x, 0), whose derivative is taken as 0 at 0.
fn activation(x: Element) -> Element {
  return max(x, Element(0.0));
}

fn activation_slope(x: Element) -> Element {
  return select(Element(0.0), Element(1.0), x > Element(0.0));
}
#elif ACTIVATION == identity
fn activation(x: Element) -> Element {
  return x;
}

fn activation_slope(x: Element) -> Element {
  return Element(1.0);
}
#endif
