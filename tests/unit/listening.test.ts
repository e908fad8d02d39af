import { describe, expect, it } from 'vitest';
import { listening } from '../../src/worker/client.ts';

describe('what a worker tells while it works', () => {
  it('is heard until its result is there, and not after', async () => {
    const heard: number[] = [];
    let late: (done: number) => void = () => undefined;
    const result = await listening(
      (done: number) => heard.push(done),
      async (tell) => {
        late = tell;
        tell(1);
        tell(2);
        return 'made';
      },
    );
    late(3);
    expect(result).toBe('made');
    expect(heard).toEqual([1, 2]);
  });

  it('is not heard after a failure either', async () => {
    const heard: number[] = [];
    let late: (done: number) => void = () => undefined;
    const failing = listening(
      (done: number) => heard.push(done),
      async (tell) => {
        late = tell;
        tell(1);
        throw new Error('no room');
      },
    );
    await expect(failing).rejects.toThrow('no room');
    late(2);
    expect(heard).toEqual([1]);
  });
});
