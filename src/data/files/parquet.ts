/**
 * Parquet by hyparquet, with the compressions that data sets come in (snappy, zstd, gzip, brotli, lz4).
 * Loaded only when such a file is dropped.
 */
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer } from 'hyparquet';
import { boundedCompressors, checkParquet } from './parquetBounds.ts';
import { parquetRowReader } from './parquetValues.ts';
import { wholeFile, type Records } from './records.ts';
import { messageOf } from '../../lib/errors.ts';

/** Rows decoded at once. */
const ROWS_AT_ONCE = 8192;

export async function readParquet(blob: Blob): Promise<Records> {
  const file: AsyncBuffer = {
    byteLength: blob.size,
    slice: (start, end) => blob.slice(start, end).arrayBuffer(),
  };
  const found: Records = { unit: 'row', records: [], problems: [] };
  try {
    const metadata = await parquetMetadataAsync(file);
    await checkParquet(file, metadata);
    const read = parquetRowReader(metadata.schema);
    const total = Number(metadata.num_rows);
    for (let rowStart = 0; rowStart < total; rowStart += ROWS_AT_ONCE) {
      const rows = await parquetReadObjects({
        file,
        metadata,
        compressors: boundedCompressors,
        rowStart,
        rowEnd: Math.min(total, rowStart + ROWS_AT_ONCE),
      });
      rows.forEach((value, i) => found.records.push({ line: rowStart + i + 1, value: read(value) }));
    }
    return found;
  } catch (error) {
    return wholeFile(
      `the Parquet file cannot be read: ${messageOf(error)}. Download it again, or convert it to JSON lines.`,
    );
  }
}
