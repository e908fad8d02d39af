// The body of an attention kernel of one invocation a query: o at `row` = sum over keys `first` to t of
// softmax(score(q . k_j)) v_j, of rows that begin at `base`, four keys at a time with a running maximum. It
// leaves `largest` and `total`, of which the kernel makes log sum exp.
  var query: array<Vector, N>;
  var sum: array<Vector, N>;
  for (var i = 0u; i < N; i++) {
    query[i] = q[row + i];
  }
  var largest = -3.0e38;
  var total = 0.0;
  for (var j = first; j <= t; j += 4u) {
    let key = base + key_rows(j, t, head);
    var product = vec4f();
    for (var i = 0u; i < N; i++) {
      let x = query[i];
      product += vec4f(
        dot(x, k[key.x + i]),
        dot(x, k[key.y + i]),
        dot(x, k[key.z + i]),
        dot(x, k[key.w + i]),
      );
    }
    let score = select(vec4f(-3.0e38), attention_score(product), seen(j, t));
    let next = max(largest, max(max(score.x, score.y), max(score.z, score.w)));
    let shrink = exp(largest - next);
    let p = select(vec4f(), exp(score - next), seen(j, t));
    largest = next;
    total = total * shrink + p.x + p.y + p.z + p.w;
    for (var i = 0u; i < N; i++) {
      sum[i] = sum[i] * shrink
        + p.x * v[key.x + i]
        + p.y * v[key.y + i]
        + p.z * v[key.z + i]
        + p.w * v[key.w + i];
    }
  }
  for (var i = 0u; i < N; i++) {
    o[row + i] = sum[i] / total;
  }
