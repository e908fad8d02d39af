/**
 * Drawing that waits for its turn: a run shows a chart a validation file, and all of them made or drawn in
 * one picture would hold the page up. A hidden tab draws none.
 */

/** Milliseconds of a picture that charts may take; one chart is always drawn. */
const BUDGET = 12;

const waiting = new Set<() => void>();

function drawNext(): void {
  const until = performance.now() + BUDGET;
  for (const work of waiting) {
    waiting.delete(work);
    try {
      work();
    } catch (error) {
      reportError(error);
    }
    if (performance.now() >= until) break;
  }
  if (waiting.size > 0) requestAnimationFrame(drawNext);
}

/**
 * Does the work in the next picture that has time for it.
 * @returns gives up the turn, where it has not come yet
 */
export function inTurn(work: () => void): () => void {
  if (waiting.size === 0) requestAnimationFrame(drawNext);
  waiting.add(work);
  return () => waiting.delete(work);
}
