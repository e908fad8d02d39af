/**
 * Does `count` pieces of work, at most `ahead` at once, and yields their results in order. Where the reader stops early or one fails, the
 * others' failures are nobody's.
 */
export async function* inOrder<T>(
  count: number,
  ahead: number,
  work: (index: number) => Promise<T>,
): AsyncGenerator<T> {
  const running: Promise<T>[] = [];
  for (let index = 0, started = 0; index < count; index++) {
    for (; started < Math.min(count, index + ahead); started++) {
      const result = work(started);
      result.catch(() => undefined);
      running.push(result);
    }
    yield await running.shift()!;
  }
}
