import { handledElsewhere } from './promises.ts';

/**
 * Runs `work` for 0 … count − 1, at most `ahead` at once, and yields the results in order. Once the reader
 * stops or one has failed, failures of the others are ignored.
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
      handledElsewhere(result);
      running.push(result);
    }
    yield await running.shift()!;
  }
}
