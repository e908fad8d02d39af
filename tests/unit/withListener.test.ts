import { describe, expect, it } from 'vitest';
import { withListener } from '../../src/worker/client.ts';

describe('what a worker reports while it works', () => {
  it('reaches its listener until the result is there, and not after', async () => {
    const received: number[] = [];
    let late: (done: number) => void = () => undefined;
    const result = await withListener(
      (done: number) => received.push(done),
      async (send) => {
        late = send;
        send(1);
        send(2);
        return 'made';
      },
    );
    late(3);
    expect(result).toBe('made');
    expect(received).toEqual([1, 2]);
  });

  it('does not reach it after a failure either', async () => {
    const received: number[] = [];
    let late: (done: number) => void = () => undefined;
    const failing = withListener(
      (done: number) => received.push(done),
      async (send) => {
        late = send;
        send(1);
        throw new Error('no room');
      },
    );
    await expect(failing).rejects.toThrow('no room');
    late(2);
    expect(received).toEqual([1]);
  });
});
