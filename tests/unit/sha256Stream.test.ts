import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Sha256Stream } from '../../src/lib/sha256Stream.ts';

const right = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('SHA-256 piece by piece', () => {
  it("equals Node's for every length up to three blocks", () => {
    for (let length = 0; length <= 192; length++) {
      const bytes = randomBytes(length);
      const stream = new Sha256Stream();
      stream.update(bytes);
      expect(stream.digest()).toBe(right(bytes));
    }
  });

  it('does not depend on the pieces, and goes on from a state that was written down', () => {
    const bytes = randomBytes(100_003);
    let stream = new Sha256Stream();
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 1013) {
      stream.update(bytes.subarray(at, at + size));
      stream = new Sha256Stream(JSON.parse(JSON.stringify(stream.state())));
    }
    expect(stream.digest()).toBe(right(bytes));
  });
});
