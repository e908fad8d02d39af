/** Models to begin with, best first, and which of them fit. */
import { t } from '../language/messages.svelte.ts';
import models from './catalogue.json';
import type { Verdict } from '../gpu/memoryVerdict.ts';

/** An entry of catalogue.json; `npm run catalogue` computes its figures from `config`. */
export interface CatalogueModel {
  /** "owner/name" on the Hugging Face Hub. */
  id: string;
  licence: string;
  /** Whether the Hub wants its licence to be accepted, and an access token. */
  gated: boolean;
  /** What of licence and sizes was seen in copies of the card or with its maker; the rest was not checked. */
  confirmed: string;
  parameters: number;
  /** Of its weights in 16 bits. */
  downloadBytes: number;
  /** In the browser, in NF4. */
  storedBytes: number;
  /** The least GPU memory of a run by T: NF4, r 16, layers recomputed. */
  memoryBytes: Record<512 | 1024, number>;
  /** What of its config.json decides the figures. */
  config: Record<string, unknown>;
}

/** Best first: by what the model can do, which is mostly its size. */
export const CATALOGUE: readonly CatalogueModel[] = models;

/** Memory to judge by where nothing is known of the GPU: nearly every one has it. */
const MODEST_BYTES = 2 * 2 ** 30;

export interface CatalogueChoice {
  model: CatalogueModel;
  verdict: Verdict;
  /** Why it does not fit, or may not; null where it does. */
  reason: string | null;
}

export interface CatalogueLimits {
  /** What is known of the GPU, as memoryVerdict judges. */
  verdictOf(bytes: number): { verdict: Verdict };
  /** Bytes that the browser may still store; null where it does not say. */
  freeBytes: number | null;
  /** GPU memory that the recipe allows; null: as much as it takes. */
  limitBytes: number | null;
  /** Tokens of the longest row that is trained. */
  maxLength: number;
}

/** Those that fit first, then those of which it is not known, each best first. */
export function catalogueChoices(
  limits: CatalogueLimits,
  all: readonly CatalogueModel[] = CATALOGUE,
): CatalogueChoice[] {
  const order: Verdict[] = ['fits', 'tight', 'unknown', 'no'];
  return all
    .map((model) => ({ model, ...fitOf(model, limits) }))
    .toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

/** The least GPU memory of a run with rows of so many tokens, in bytes. */
export function memoryAt({ memoryBytes }: CatalogueModel, maxLength: number): number {
  return memoryBytes[maxLength <= 512 ? 512 : 1024];
}

/** Whether a model of the catalogue fits, and why it does not, or may not. */
export function fitOf(
  model: CatalogueModel,
  { verdictOf, freeBytes, limitBytes, maxLength }: CatalogueLimits,
): Omit<CatalogueChoice, 'model'> {
  const needed = memoryAt(model, maxLength);
  if (freeBytes !== null && model.storedBytes > freeBytes)
    return { verdict: 'no', reason: t.model.reasons.storage };
  if (limitBytes !== null && needed > limitBytes) return { verdict: 'no', reason: t.model.reasons.recipe };
  const { verdict } = verdictOf(needed);
  if (verdict === 'no') return { verdict, reason: t.model.reasons.gpu };
  if (verdict !== 'unknown') return { verdict, reason: verdict === 'tight' ? t.model.reasons.tight : null };
  return needed <= MODEST_BYTES
    ? { verdict: 'fits', reason: null }
    : { verdict, reason: t.model.reasons.unknown };
}
