/**
 * ROUGE as Python's rouge_score 0.1.2 computes it with use_stemmer=True: F-measures of shared words, pairs of
 * words and the longest common subsequence (C.-Y. Lin, "ROUGE: a Package for Automatic Evaluation of
 * Summaries", 2004).
 */
import { porterStem } from './porterStemmer.ts';

/** F-measures in [0, 1]. */
export interface RougeScores {
  rouge1: number;
  rouge2: number;
  rougeL: number;
  /** Of texts as lists of sentences. */
  rougeLsum: number;
}

export function rouge(reference: string, answer: string): RougeScores {
  const [target, prediction] = [words(reference), words(answer)];
  return {
    rouge1: sharedGrams(target, prediction, 1),
    rouge2: sharedGrams(target, prediction, 2),
    rougeL: fMeasure(longestCommon(target, prediction), target.length, prediction.length),
    rougeLsum: summaryLevel(sentences(reference), sentences(answer)),
  };
}

/** Whether ROUGE finds a word in a text at all: it knows letters a to z and digits only. */
export function hasRougeWords(text: string): boolean {
  return words(text).length > 0;
}

/**
 * The words of each sentence: of each line, and within a line after ., ! or ? and white space. nltk's punkt,
 * which the common script joins lines with, also knows abbreviations ("Dr. Who" is one sentence there).
 */
function sentences(text: string): string[][] {
  return text
    .split(/\n|(?<=[.!?]["')\]]*)\s+/)
    .map(words)
    .filter((sentence) => sentence.length > 0);
}

/** rouge_score's summary level: of each sentence the words that are in its longest subsequences with any. */
function summaryLevel(targets: readonly string[][], predictions: readonly string[][]): number {
  const [wanted, made] = [targets.flat(), predictions.flat()];
  const left = [wanted, made].map((list) => {
    const counts = new Map<string, number>();
    for (const word of list) counts.set(word, (counts.get(word) ?? 0) + 1);
    return counts;
  });
  let hits = 0;
  for (const target of targets) {
    const places = new Set(predictions.flatMap((prediction) => commonPlaces(target, prediction)));
    for (const place of [...places].sort((a, b) => a - b)) {
      const word = target[place]!;
      if (left.some((counts) => (counts.get(word) ?? 0) === 0)) continue;
      for (const counts of left) counts.set(word, counts.get(word)! - 1);
      hits++;
    }
  }
  return fMeasure(hits, wanted.length, made.length);
}

/** Places in `a` of its longest common subsequence with `b`, traced back as rouge_score does. */
function commonPlaces(a: readonly string[], b: readonly string[]): number[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++)
      table[i]![j] =
        a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i]![j - 1]!, table[i - 1]![j]!);
  const places: number[] = [];
  for (let [i, j] = [a.length, b.length]; i > 0 && j > 0;) {
    if (a[i - 1] === b[j - 1]) {
      places.push(i - 1);
      i--;
      j--;
    } else if (table[i]![j - 1]! > table[i - 1]![j]!) j--;
    else i--;
  }
  return places;
}

/** Lower case, cut at everything but a-z and 0-9; words of four letters and more are stemmed. */
function words(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => (word.length > 3 ? porterStem(word) : word));
}

function sharedGrams(target: readonly string[], prediction: readonly string[], n: number): number {
  const counts = new Map<string, number>();
  const grams = (list: readonly string[]) =>
    Array.from({ length: Math.max(0, list.length - n + 1) }, (_, i) => list.slice(i, i + n).join(' '));
  const [wanted, made] = [grams(target), grams(prediction)];
  for (const gram of wanted) counts.set(gram, (counts.get(gram) ?? 0) + 1);
  let shared = 0;
  for (const gram of made) {
    const left = counts.get(gram) ?? 0;
    if (left === 0) continue;
    counts.set(gram, left - 1);
    shared++;
  }
  return fMeasure(shared, wanted.length, made.length);
}

/** Length of the longest common subsequence. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  let row = new Uint32Array(b.length + 1);
  for (const word of a) {
    const next = new Uint32Array(b.length + 1);
    for (let j = 1; j <= b.length; j++)
      next[j] = word === b[j - 1] ? row[j - 1] + 1 : Math.max(row[j], next[j - 1]);
    row = next;
  }
  return row[b.length];
}

function fMeasure(shared: number, wanted: number, made: number): number {
  const precision = shared / Math.max(made, 1);
  const recall = shared / Math.max(wanted, 1);
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}
