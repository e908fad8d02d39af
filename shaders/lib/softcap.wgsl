// A logit under the model's cap. SOFTCAP 0: none.
fn capped(logit: f32) -> f32 {
  if (SOFTCAP > 0.0) {
    return SOFTCAP * tanh(logit / SOFTCAP);
  }
  return logit;
}
