// What attention does to four raw products q . k, the derivative of that, and the first key that a query
// sees.
// Constants: SCALE, the factor of a product; SOFTCAP, 0 for none; WINDOW, the keys that a query sees, itself
//   included, 0 for all of its document.
fn attention_score(product: vec4f) -> vec4f {
  if (SOFTCAP > 0.0) {
    return SOFTCAP * tanh(product * SCALE / SOFTCAP);
  }
  return product * SCALE;
}

// The derivative of attention_score by the product, given the score.
fn attention_slope(score: vec4f) -> vec4f {
  if (SOFTCAP > 0.0) {
    let ratio = score / SOFTCAP;
    return SCALE * (1.0 - ratio * ratio);
  }
  return vec4f(SCALE);
}

// The first key that query t sees: its document's start, or WINDOW - 1 keys back where there is a window.
fn first_key(t: u32, document_start: u32) -> u32 {
  if (WINDOW > 0u && t + 1u > WINDOW) {
    return max(document_start, t + 1u - WINDOW);
  }
  return document_start;
}
