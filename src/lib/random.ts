import { mix32, randomKey } from './counterRandom.ts';

/** 0 … n − 1 in an order that depends on the keys alone (Fisher-Yates over counter-based numbers). */
export function shuffled(n: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const key = randomKey(randomKey(mix32(seed), 0x73687566), epoch);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((randomKey(key, i) / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
