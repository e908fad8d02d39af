// What attention does to four raw products q.k, and its derivative. SOFTCAP 0: none.
fn attention_score(product: vec4f) -> vec4f {
  if (SOFTCAP > 0.0) {
    return SOFTCAP * tanh(product * SCALE / SOFTCAP);
  }
  return product * SCALE;
}

// d(attention_score)/d(product), given the score.
fn attention_slope(score: vec4f) -> vec4f {
  if (SOFTCAP > 0.0) {
    let ratio = score / SOFTCAP;
    return SCALE * (1.0 - ratio * ratio);
  }
  return vec4f(SCALE);
}

// First key that query t sees: its document's start, or WINDOW - 1 back where there is a window (0: none).
fn first_key(t: u32, document_start: u32) -> u32 {
  if (WINDOW > 0u && t + 1u > WINDOW) {
    return max(document_start, t + 1u - WINDOW);
  }
  return document_start;
}
