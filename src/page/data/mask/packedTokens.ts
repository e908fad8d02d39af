/** A packed micro-batch as tokens to draw. Everything is read from the tensors that the engine gets. */
import type { PackedPreview } from '../../../worker/dataset/datasetProtocol.ts';

export interface PackedToken {
  /** Place in the tensors, 0 to T - 1. */
  place: number;
  id: number;
  text: string;
  special: boolean;
  position: number;
  /** The place before it has it as its target: it is learned. */
  learned: boolean;
  /** Fills the tail: of no document. */
  padding: boolean;
  /** First token of a row. */
  first: boolean;
  /** What this place must predict; null where it is not supervised. */
  target: { id: number; text: string } | null;
}

/** @param from first place @param to one past the last */
export function packedTokens(
  { batch, tokens, rows }: PackedPreview,
  from: number,
  to: number,
): PackedToken[] {
  const firsts = new Set(rows.map(({ start }) => start));
  const used = rows.reduce((end, { start, length }) => Math.max(end, start + length), 0);
  return Array.from({ length: to - from }, (_, i) => {
    const place = from + i;
    const id = batch.inputIds[place];
    const target = batch.targets[place];
    return {
      place,
      id,
      text: tokens.get(id)?.text ?? '',
      special: tokens.get(id)?.special ?? false,
      position: batch.positions[place],
      learned: place > batch.documentStart[place] && batch.targets[place - 1] !== -1,
      padding: place >= used,
      first: firsts.has(place),
      target: target === -1 ? null : { id: target, text: tokens.get(target)?.text ?? '' },
    };
  });
}

/** Makes line ends, tabs and lone spaces visible, and gives an empty text a width. */
export function shown(text: string): string {
  if (/^ +$/.test(text)) return '␣'.repeat(text.length);
  return text.replaceAll('\n', '⏎\n').replaceAll('\t', '⇥') || '∅';
}

/** Where a key moves to among so many tokens, ten of them a line; undefined for a key that moves nowhere. */
export function indexByKey(key: string, at: number, count: number): number | undefined {
  const to = {
    ArrowRight: at + 1,
    ArrowDown: at + 10,
    ArrowLeft: at - 1,
    ArrowUp: at - 10,
    Home: 0,
    End: count - 1,
  }[key];
  return to === undefined ? undefined : Math.min(count - 1, Math.max(0, to));
}
