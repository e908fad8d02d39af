/**
 * What a Parquet file says of itself, checked before anything is made of it: a page header of twenty bytes
 * can ask for gigabytes. Places, sizes and counts must fit the file and one another.
 */
import { parquetSchema, type AsyncBuffer, type ColumnMetaData, type FileMetaData } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { compressors, decompressZstd } from 'hyparquet-compressors';

const PAGE_LIMIT = 256 * 1024 * 1024;
/** A page header with the statistics of long texts. */
const HEADER_BYTES = 65_536;
/** Bytes that a compressed byte stands for, at most, beyond a mebibyte; zstd gives 10,000 for equal rows. */
const MOST_EXPANSION = 32_768;
/** Values that a stored byte stands for, at most, beyond a mebi: runs of equal ones are written once. */
const MOST_VALUES_A_BYTE = 4096;
const SLACK = 1024 * 1024;

class ParquetBoundsError extends Error {
  override name = 'ParquetBoundsError';
}

/** @throws ParquetBoundsError naming the column and what it claims */
export async function checkParquet(file: AsyncBuffer, metadata: FileMetaData): Promise<void> {
  const rows = (count: bigint) => whole(count, Number.MAX_SAFE_INTEGER, 'the number of its rows');
  let total = 0;
  checkColumns(metadata);
  for (const group of metadata.row_groups) {
    const groupRows = rows(group.num_rows);
    total += groupRows;
    for (const { meta_data } of group.columns) {
      const column = meta_data!;
      const values = await valuesOf(file, column);
      if (groupRows > values)
        throw new ParquetBoundsError(
          `it claims ${groupRows} rows, but the column ${column.path_in_schema.join('.')} has ${values} values`,
        );
    }
  }
  if (rows(metadata.num_rows) !== total)
    throw new ParquetBoundsError(`it claims ${metadata.num_rows} rows, its parts have ${total}`);
}

/**
 * Every column of every part is one of the schema, and there once. hyparquet reads all of them and waits for
 * those that the schema names: nobody would hear of the failure of another.
 */
function checkColumns(metadata: FileMetaData): void {
  const { children } = parquetSchema(metadata);
  for (const { columns } of metadata.row_groups) {
    const seen = new Set<string>();
    for (const { meta_data: column } of columns) {
      if (!column) throw new ParquetBoundsError('a column has no description');
      const name = column.path_in_schema.join('.');
      let level = children;
      for (const part of column.path_in_schema) {
        const found = level.find(({ element }) => element.name === part);
        if (!found) throw new ParquetBoundsError(`its schema does not name the column ${name}`);
        level = found.children;
      }
      if (level.length > 0 || seen.has(name))
        throw new ParquetBoundsError(`the column ${name} is there twice, or is no column by its schema`);
      seen.add(name);
    }
  }
}

/** Walks the page headers of a column. @returns the values that they claim, which are bounded */
async function valuesOf(file: AsyncBuffer, column: ColumnMetaData): Promise<number> {
  const name = column.path_in_schema.join('.');
  const begin = whole(
    column.dictionary_page_offset || column.data_page_offset,
    file.byteLength,
    `where the column ${name} begins`,
  );
  const end = begin + whole(column.total_compressed_size, file.byteLength - begin, `the size of ${name}`);
  const claimed = whole(column.num_values, Number.MAX_SAFE_INTEGER, `the number of values of ${name}`);
  let values = 0;
  let at = begin;
  while (at < end && values < claimed) {
    const reader = { view: new DataView(await file.slice(at, Math.min(end, at + HEADER_BYTES))), offset: 0 };
    const header = parquetHeader(reader);
    const compressed = whole(header.compressed_page_size, end - at - reader.offset, `a page of ${name}`);
    const plain = whole(header.uncompressed_page_size, PAGE_LIMIT, `the size of a page of ${name}`);
    if (plain > SLACK + compressed * MOST_EXPANSION)
      throw new ParquetBoundsError(`a page of ${name} of ${compressed} bytes claims to unpack to ${plain}`);
    const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = header;
    const count = v1?.num_values ?? v2?.num_values ?? dictionary?.num_values ?? 0;
    const most = SLACK + (at + reader.offset + compressed - begin) * MOST_VALUES_A_BYTE;
    whole(values + count, most, `the number of values up to a page of ${name}`);
    if (v2) {
      whole(v2.num_nulls, count, `the number of nulls in a page of ${name}`);
      whole(v2.definition_levels_byte_length, plain, `a page of ${name}`);
      whole(v2.repetition_levels_byte_length, plain, `a page of ${name}`);
    }
    if (!dictionary) values += count;
    at += reader.offset + compressed;
  }
  return values;
}

/** @throws ParquetBoundsError unless it is a whole number from 0 to `most` */
function whole(value: unknown, most: number, what: string): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0 || number > most)
    throw new ParquetBoundsError(`${what} is given as ${String(value)}`);
  return number;
}

/** The compressors, with what they make bounded by what the page's header says, which was checked. */
export const boundedCompressors: typeof compressors = {
  ...compressors,
  // Without a buffer its size is the frame's own claim.
  ZSTD: (input, length) =>
    (decompressZstd as (input: Uint8Array, output: Uint8Array) => Uint8Array)(input, new Uint8Array(length)),
};
