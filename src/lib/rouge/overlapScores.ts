/**
 * BLEU and chrF of all answers at once, as sacrebleu 2 computes them with its defaults: corpus BLEU over its
 * tokenizer 13a with exponential smoothing (Papineni et al. 2002), and chrF2 over character n-grams up to 6
 * without white space (Popović 2015).
 */

/** An answer and what it is compared with. */
export interface AnswerPair {
  answer: string;
  reference: string;
}

const BLEU_ORDER = 4;
const CHRF_ORDER = 6;
const CHRF_BETA = 2;

/** In 0 to 100; 0 where no word is shared. */
export function corpusBleu(pairs: readonly AnswerPair[]): number {
  const correct = new Array<number>(BLEU_ORDER).fill(0);
  const total = new Array<number>(BLEU_ORDER).fill(0);
  let [answerLength, referenceLength] = [0, 0];
  for (const { answer, reference } of pairs) {
    const [made, wanted] = [words13a(answer), words13a(reference)];
    answerLength += made.length;
    referenceLength += wanted.length;
    for (let n = 1; n <= BLEU_ORDER; n++) {
      const counts = countsOf(made, n);
      total[n - 1] = total[n - 1]! + Math.max(0, made.length - n + 1);
      correct[n - 1] = correct[n - 1]! + sharedOf(counts, countsOf(wanted, n));
    }
  }
  if (correct.every((count) => count === 0) || total.some((count) => count === 0)) return 0;
  let smoothing = 1;
  let sum = 0;
  for (let n = 0; n < BLEU_ORDER; n++) {
    if (correct[n] === 0) smoothing *= 2;
    sum += Math.log(correct[n] === 0 ? 1 / (smoothing * total[n]!) : correct[n]! / total[n]!);
  }
  const brevity = answerLength < referenceLength ? Math.exp(1 - referenceLength / answerLength) : 1;
  return 100 * brevity * Math.exp(sum / BLEU_ORDER);
}

/** In 0 to 100. */
export function corpusChrf(pairs: readonly AnswerPair[]): number {
  let [precision, recall, orders] = [0, 0, 0];
  for (let n = 1; n <= CHRF_ORDER; n++) {
    let [made, wanted, shared] = [0, 0, 0];
    for (const { answer, reference } of pairs) {
      const [ofAnswer, ofReference] = [answer, reference].map((text) => countsOf([...unspaced(text)], n)) as [
        Map<string, number>,
        Map<string, number>,
      ];
      if (ofReference.size > 0) made += sizeOf(ofAnswer);
      wanted += sizeOf(ofReference);
      shared += sharedOf(ofAnswer, ofReference);
    }
    if (made === 0 || wanted === 0) continue;
    precision += shared / made;
    recall += shared / wanted;
    orders++;
  }
  if (precision + recall === 0) return 0;
  const [p, r] = [precision / orders, recall / orders];
  const square = CHRF_BETA ** 2;
  return (100 * (1 + square) * p * r) / (square * p + r);
}

/** mteval-v13a's words: punctuation apart, but for points and commas within numbers. */
function words13a(text: string): string[] {
  const line = ` ${text
    .trimEnd()
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')} `;
  return line
    .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replace(/([^0-9])([.,])/g, '$1 $2 ')
    .replace(/([.,])([^0-9])/g, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
    .split(/\s+/)
    .filter((word) => word !== '');
}

function unspaced(text: string): string {
  return text.replace(/\s+/g, '');
}

function countsOf(units: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= units.length; i++) {
    const gram = units.slice(i, i + n).join('\u0000');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

function sizeOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

function sharedOf(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let shared = 0;
  for (const [gram, count] of a) shared += Math.min(count, b.get(gram) ?? 0);
  return shared;
}
