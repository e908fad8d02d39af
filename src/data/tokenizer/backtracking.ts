/**
 * Regular expressions of tokenizer.json whose time grows exponentially with the text: they came with a model,
 * and JavaScript's engine cannot be stopped. They are tried on short texts that grow; one that is merely slow
 * stays.
 */

/** Repetitions that are tried: twice as long for each two more tells an exponential one from any other. */
const LENGTHS = [10, 13, 16, 19, 22, 25];
const SLOW_MS = 40;
/** How often a slow match is timed again, and one that takes so long that the whole would take seconds. */
const RETIMED = 3;
const VERY_SLOW_MS = 150;
/** A polynomial of the fifth degree grows less from one length to the last but two. */
const GROWTH = 30;
const MOST_UNITS = 24;

/** Whether the time that an expression takes explodes. @param source as the file has it */
export function explodes(pattern: RegExp, source: string): boolean {
  return unitsOf(source).some((unit) =>
    ['', '\u0001', '!x'].some((end) => growsExponentially(pattern, unit, end)),
  );
}

function growsExponentially(pattern: RegExp, unit: string, end: string): boolean {
  const times: number[] = [];
  for (const length of LENGTHS) {
    times.push(leastTimeOf(pattern, unit.repeat(length) + end));
    const before = times.at(-3) ?? Infinity;
    if (times.at(-1)! > SLOW_MS && times.at(-1)! > GROWTH * before) return true;
    // Slow from the start: longer texts would take minutes.
    if (times.at(-1)! > SLOW_MS * 10) return true;
  }
  return false;
}

/** A slow match is timed again: where other work has the processor, any match can look slow once. */
function leastTimeOf(pattern: RegExp, text: string): number {
  let least = timeOf(pattern, text);
  const most = least > VERY_SLOW_MS ? 1 : RETIMED;
  for (let again = 0; again < most && least > SLOW_MS; again++)
    least = Math.min(least, timeOf(pattern, text));
  return least;
}

function timeOf(pattern: RegExp, text: string): number {
  const fresh = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  const before = performance.now();
  fresh.test(text);
  return performance.now() - before;
}

/**
 * Texts whose repetition an expression may match in many ways: characters that it names, and pairs of them.
 */
function unitsOf(source: string): string[] {
  const named =
    source.replace(/\\[pP]\{[^}]*\}|\(\?[:=!<>]+|\\./g, '').match(/[\p{L}\p{N}\s_.,'"/-]/gu) ?? [];
  const characters = [...new Set(['a', 'A', '1', ' ', '\n', '.', ...named])].slice(0, 12);
  const pairs = characters.flatMap((a) => characters.map((b) => a + b)).filter(([a, b]) => a !== b);
  return [...characters, ...pairs.slice(0, MOST_UNITS)];
}
