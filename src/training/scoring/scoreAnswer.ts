/** The number that a reward or a metric of the recipe gives an answer. */
import type { ScoringFunction } from '../recipe/scoringRecipe.ts';
import type { ScoredText } from './ownFunction.ts';

export type { ScoredText };

/** An answer with what functions look at. */
export interface ScoredAnswer extends ScoredText {
  /** Its tokens, the end token included. */
  tokens: number;
}

/** A number with sign, digits grouped by commas, decimals and exponent. */
const NUMBER = /[-+\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?|[-+\u2212]?\.\d+/g;

/**
 * @returns null where the function gives none for this answer
 * @throws Error where it fails, with a sentence that follows its name
 */
export async function scoreAnswer(made: ScoringFunction, scored: ScoredAnswer): Promise<number | null> {
  const { answer, reference } = scored;
  switch (made.type) {
    case 'code':
      return (await import('./ownFunction.ts')).callOwnFunction(made.code!, scored);
    case 'exact_match':
      return Number(answer.trim() === needed(reference).trim());
    case 'number_equals':
      return Number(sameNumber(answer, needed(reference), made.tolerance ?? 0));
    case 'regex':
      return Number(new RegExp(made.pattern!, made.flags).test(answer));
    case 'json_schema':
      return jsonScore(answer, made.schema!);
    case 'length':
      return lengthScore(lengthOf(scored, made.unit ?? 'characters'), made.min ?? 0, made.max ?? Infinity);
    case 'contains':
      return Number(holds(answer, made.text ?? needed(reference).trim(), made.flags ?? ''));
  }
}

function needed(reference: string | null): string {
  if (reference === null)
    throw new Error('needs a reference, which this row does not have: write its answer beside the prompt');
  return reference;
}

/** The last number of a text; NaN where it has none. */
export function lastNumber(text: string): number {
  const found = text.match(NUMBER)?.at(-1);
  return found === undefined ? NaN : Number(found.replaceAll(',', '').replace('\u2212', '-'));
}

function sameNumber(answer: string, reference: string, tolerance: number): boolean {
  return Math.abs(lastNumber(answer) - lastNumber(reference)) <= tolerance;
}

function holds(answer: string, text: string, flags: string): boolean {
  return flags.includes('i') ? answer.toLowerCase().includes(text.toLowerCase()) : answer.includes(text);
}

function lengthOf({ answer, tokens }: ScoredAnswer, unit: NonNullable<ScoringFunction['unit']>): number {
  switch (unit) {
    case 'tokens':
      return tokens;
    case 'characters':
      return [...answer].length;
    case 'words':
      return answer.split(/\s+/).filter((word) => word !== '').length;
  }
}

/** 1 from `least` to `most`; outside the ratio to the bound that is missed. */
function lengthScore(length: number, least: number, most: number): number {
  if (length < least) return length / least;
  return length > most ? most / length : 1;
}

/** 1 where the answer, or the one fenced block in it, is JSON that the schema allows. */
async function jsonScore(answer: string, schema: object | boolean): Promise<number> {
  const fenced = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/.exec(answer);
  let value: unknown;
  try {
    value = JSON.parse(fenced?.[1] ?? answer);
  } catch {
    // Expected: what a model writes is not always JSON.
    return 0;
  }
  const { Validator } = await import('@cfworker/json-schema');
  return Number(new Validator(schema, '2020-12').validate(value).valid);
}
