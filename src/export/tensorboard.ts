/**
 * A run's curves as a TensorBoard event file: records of a length, its checksum, an Event message and its
 * checksum (tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto). No maintained package
 * writes them in a browser.
 */
import { concatenated } from '../lib/concatenated.ts';
import type { MetricsLine } from '../training/metrics.ts';

/** TensorBoard looks for `tfevents` in a file's name. */
export const EVENTS_FILE = 'events.out.tfevents.0.finetab';

/**
 * One event a line, with tags as transformers' TensorBoardCallback writes them: `train/loss`,
 * `eval/pirate_loss`. The wall time of an event is its step, so that the same run gives the same bytes.
 */
export function tensorboardEvents(lines: readonly MetricsLine[]): Uint8Array {
  const parts = [record(text(3, 'brain.Event:2'))];
  for (const { step, ...values } of lines) {
    const summary = Object.entries(values).map(([key, value]) =>
      field(1, message(text(1, tagOf(key)), float(2, value))),
    );
    if (summary.length > 0)
      parts.push(record(message(double(1, step), integer(2, step), field(5, message(...summary)))));
  }
  return message(...parts);
}

function tagOf(key: string): string {
  return key.startsWith('eval_') ? `eval/${key.slice('eval_'.length)}` : `train/${key}`;
}

/** The parts one after the other. */
function message(...parts: readonly Uint8Array[]): Uint8Array {
  return concatenated(parts);
}

const enum Wire {
  Varint = 0,
  Bits64 = 1,
  Bytes = 2,
  Bits32 = 5,
}

function key(number: number, wire: Wire): Uint8Array {
  return Uint8Array.of((number << 3) | wire);
}

function double(number: number, value: number): Uint8Array {
  return message(key(number, Wire.Bits64), new Uint8Array(Float64Array.of(value).buffer));
}

function float(number: number, value: number): Uint8Array {
  return message(key(number, Wire.Bits32), new Uint8Array(Float32Array.of(value).buffer));
}

function integer(number: number, value: number): Uint8Array {
  return message(key(number, Wire.Varint), varint(value));
}

function text(number: number, value: string): Uint8Array {
  return field(number, new TextEncoder().encode(value));
}

function field(number: number, contents: Uint8Array): Uint8Array {
  return message(key(number, Wire.Bytes), varint(contents.byteLength), contents);
}

/** Seven bits a byte, the least first. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

function record(data: Uint8Array): Uint8Array {
  const length = new Uint8Array(BigUint64Array.of(BigInt(data.byteLength)).buffer);
  return message(length, checksum(length), data, checksum(data));
}

/** CRC-32C, rotated and shifted, so that checksums of data that hold checksums differ (crc32c.h, Mask). */
function checksum(data: Uint8Array): Uint8Array {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRC32C[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  crc = ~crc >>> 0;
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  return new Uint8Array(Uint32Array.of(masked).buffer);
}

/** Of Castagnoli's polynomial, bits reversed (RFC 3720, appendix B.4). */
const CRC32C = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});
