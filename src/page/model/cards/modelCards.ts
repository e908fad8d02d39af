/** What the cards of models show: the fit on this GPU, figures, and which of them a filter leaves. */
import { t } from '../../language/messages.svelte.ts';
import { bytes, compact } from '../../language/numbers.ts';
import type { ModelSummary } from '../../../worker/import/importProtocol.ts';
import type { Verdict } from '../../gpu/memoryVerdict.ts';
import {
  CATALOGUE,
  fitOf,
  memoryAt,
  type CatalogueChoice,
  type CatalogueLimits,
  type CatalogueModel,
} from '../catalogue.ts';

/** Whether a model fits, and why it does not, or may not; null where there is no more to say. */
export interface Fit {
  verdict: Verdict;
  reason: string | null;
}

export interface CardFigure {
  label: string;
  value: string;
}

/** What a catalogue model is good at, in words; undefined of any other model. */
export function goodAt(id: string): string | undefined {
  return Object.hasOwn(t.model.goodAt, id) ? t.model.goodAt[id as keyof typeof t.model.goodAt] : undefined;
}

/** @param maxLength tokens of the longest row that is trained */
export function catalogueFigures(model: CatalogueModel, maxLength: number): CardFigure[] {
  return [
    { label: t.model.figures.parameters, value: compact(model.parameters) },
    { label: t.model.figures.stored, value: bytes(model.storedBytes) },
    { label: t.model.figures.gpuMemory, value: bytes(memoryAt(model, maxLength)) },
    { label: t.model.figures.licence, value: licenceOf(model) },
  ];
}

function licenceOf({ licence, gated }: CatalogueModel): string {
  return gated ? t.model.gatedLicence(licence) : licence;
}

/** A stored model's catalogue entry, by its name. */
function entryOf(name: string): CatalogueModel | undefined {
  return CATALOGUE.find(({ id }) => id === name);
}

/** @param maxLength tokens of the longest row that is trained */
export function storedFigures(stored: ModelSummary, maxLength: number): CardFigure[] {
  const entry = entryOf(stored.name);
  return [
    { label: t.model.figures.kind, value: stored.modelType },
    { label: t.model.figures.weights, value: t.model.weights[stored.quantization] },
    {
      label: t.model.figures.stored,
      value: stored.complete ? bytes(stored.storedBytes) : t.model.unfinished,
    },
    ...(entry ? [{ label: t.model.figures.gpuMemory, value: bytes(memoryAt(entry, maxLength)) }] : []),
    {
      label: t.model.figures.licence,
      value: entry ? licenceOf(entry) : (stored.licence ?? t.model.licenceNotKnown),
    },
  ];
}

/**
 * Whether a stored model fits.
 * @param planned bytes of GPU memory of the run that is planned with it; null where none is
 */
export function storedFit(stored: ModelSummary, planned: number | null, limits: CatalogueLimits): Fit {
  if (planned !== null) return { verdict: limits.verdictOf(planned).verdict, reason: null };
  const entry = entryOf(stored.name);
  // It is stored already: what may still be stored does not matter.
  if (entry && stored.quantization === 'nf4') return fitOf(entry, { ...limits, freeBytes: null });
  // Its weights lie on the GPU whatever the recipe is.
  const { verdict } = limits.verdictOf(stored.storedBytes);
  return verdict === 'no'
    ? { verdict, reason: t.model.reasons.gpu }
    : { verdict: 'unknown', reason: t.model.reasons.notPlanned };
}

/** Those that have all words of a filter in their name, licence or what they are good at. */
export function matching(choices: readonly CatalogueChoice[], filter: string): CatalogueChoice[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return choices.filter(({ model }) => {
    const text = `${model.id} ${model.licence} ${goodAt(model.id) ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
