// A logit under the model's cap: SOFTCAP tanh(logit / SOFTCAP). SOFTCAP 0 means that there is none.
fn capped(logit: f32) -> f32 {
  if (SOFTCAP > 0.0) {
    return SOFTCAP * tanh(logit / SOFTCAP);
  }
  return logit;
}
