/**
 * SHA-256 (FIPS 180-4) of bytes that come piece by piece. Web Crypto has only the digest of a whole buffer; a
 * download of gigabytes is hashed as it arrives, and its hash goes on after a reload.
 */

import { sha256Hex } from './sha256.ts';

/** All that is needed to go on with a hash. */
export interface Sha256State {
  words: number[];
  /** Bytes hashed so far, `rest` among them. */
  bytes: number;
  /** Bytes that do not fill a block of 64 yet. */
  rest: number[];
}

const BLOCK = 64;
/** First 32 bits of the fractional parts of the square roots of the first 8 primes. */
const INITIAL = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];
const ROUND_CONSTANTS = cubeRootFractions(64);

export class Sha256Stream {
  private readonly words: Int32Array;
  private readonly rest = new Uint8Array(BLOCK);
  private readonly schedule = new Int32Array(64);
  private bytes: number;

  constructor(state?: Sha256State) {
    this.words = Int32Array.from(state?.words ?? INITIAL);
    this.bytes = state?.bytes ?? 0;
    if (state) this.rest.set(state.rest);
  }

  state(): Sha256State {
    return {
      words: [...this.words],
      bytes: this.bytes,
      rest: [...this.rest.subarray(0, this.bytes % BLOCK)],
    };
  }

  update(piece: Uint8Array): void {
    let at = 0;
    const filled = this.bytes % BLOCK;
    this.bytes += piece.byteLength;
    if (filled > 0) {
      at = Math.min(BLOCK - filled, piece.byteLength);
      this.rest.set(piece.subarray(0, at), filled);
      if (filled + at < BLOCK) return;
      this.compress(this.rest, 0);
    }
    for (; at + BLOCK <= piece.byteLength; at += BLOCK) this.compress(piece, at);
    this.rest.set(piece.subarray(at));
  }

  /** Lower-case hex; the stream itself can go on. */
  digest(): string {
    const last = new Sha256Stream(this.state());
    const padding = new Uint8Array(((BLOCK + 55 - (this.bytes % BLOCK)) % BLOCK) + 9);
    padding[0] = 0x80;
    new DataView(padding.buffer).setBigUint64(padding.byteLength - 8, BigInt(this.bytes) * 8n);
    last.update(padding);
    return Array.from(last.words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  private compress(bytes: Uint8Array, at: number): void {
    const w = this.schedule;
    for (let i = 0; i < 16; i++, at += 4)
      w[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = this.words;
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    const { words } = this;
    words[0] += a;
    words[1] += b;
    words[2] += c;
    words[3] += d;
    words[4] += e;
    words[5] += f;
    words[6] += g;
    words[7] += h;
  }
}

/** First 32 bits of the fractional parts of the cube roots of the first primes, by integers alone. */
function cubeRootFractions(count: number): Int32Array {
  const constants: number[] = [];
  for (let candidate = 2; constants.length < count; candidate++) {
    let isPrime = true;
    for (let i = 2; i * i <= candidate; i++) if (candidate % i === 0) isPrime = false;
    if (!isPrime) continue;
    // The largest root with root^3 <= candidate * 2^96 is the cube root times 2^32.
    const cube = BigInt(candidate) << 96n;
    let root = 0n;
    for (let bit = 1n << 36n; bit > 0n; bit >>= 1n) if ((root | bit) ** 3n <= cube) root |= bit;
    constants.push(Number(BigInt.asIntN(32, root)));
  }
  return Int32Array.from(constants);
}

/** SHA-256 of a file as lower-case hex, piece by piece: a large one is never in memory as a whole. */
export async function sha256OfBlob(blob: Blob): Promise<string> {
  if (blob.size <= WHOLE) return sha256Hex(new Uint8Array(await blob.arrayBuffer()));
  const stream = new Sha256Stream();
  for (let at = 0; at < blob.size; at += WHOLE)
    stream.update(new Uint8Array(await blob.slice(at, at + WHOLE).arrayBuffer()));
  return stream.digest();
}

/** A file up to this size is left to the browser's own digest, which is faster. */
const WHOLE = 2 ** 24;
