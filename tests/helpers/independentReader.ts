/**
 * Reads safetensors by the format's own description, sharing nothing with the project's reader and writer.
 * Node only.
 */
import { Buffer } from 'node:buffer';

const READERS: Record<string, [bytes: number, read: (file: Buffer, at: number) => number]> = {
  F64: [8, (file, at) => file.readDoubleLE(at)],
  F32: [4, (file, at) => file.readFloatLE(at)],
  U8: [1, (file, at) => file[at]],
};

/** @throws for a dtype that neither adapters nor references use */
export function readIndependently(
  bytes: Uint8Array,
): Record<string, { dtype: string; shape: number[]; values: number[] }> {
  const file = Buffer.from(bytes);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: number[] }
  >;
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [begin, end],
          },
        ]) => {
          const [width, read] = READERS[dtype] ?? [];
          if (!width || !read) throw new Error(`${name} is ${dtype}`);
          return [
            name,
            {
              dtype,
              shape,
              values: Array.from({ length: (end - begin) / width }, (_, i) =>
                read(file, start + begin + i * width),
              ),
            },
          ];
        },
      ),
  );
}
