/** The rows of one or several data files read as one, and of them those that are asked for. */
import type { RecordUnit, RowProblem } from '../files/records.ts';
import type { Row } from './conversation.ts';
import type { CountedRows } from './rowFindings.ts';
import {
  openRows,
  type ChosenColumns,
  type Column,
  type OpeningOptions,
  type RowStream,
} from './parseRows.ts';
import { EVERY_ROW, RowFilter, RowGroups, type Selection } from './rowSelection.ts';

/** A data file. */
export interface DataPart {
  /** What its rows are said to be from; of files that are read as one, each has a name of its own. */
  name: string;
  blob: Blob;
}

export interface JoinedRows extends RowStream {
  /** Of each file. */
  formats: Pick<RowStream, 'format' | 'columns'>[];
  /** By the recipe, of the rows read so far; none of those that are held out, which the others name. */
  leftOut: CountedRows;
}

/**
 * Opens files that are read as one, in this order. With rows held out, all are read once before, to tell
 * which.
 * @param heldOut groups that are held out, where they are known already
 * @param options `onFound` is notified of the records of all files so far
 */
export async function openJoinedRows(
  parts: readonly DataPart[],
  chosen: ChosenColumns = {},
  selection: Selection = EVERY_ROW,
  heldOut: ReadonlySet<number> | null = null,
  options: OpeningOptions = {},
): Promise<JoinedRows> {
  const groups =
    heldOut ??
    (selection.valSetSize > 0 && selection.side !== 'both'
      ? await heldOutGroups(parts, chosen, selection, options)
      : null);
  const streams: RowStream[] = [];
  for (const { name, blob } of parts) {
    const before = streams.reduce((sum, { records }) => sum + records, 0);
    const onFound = (records: number) => options.onFound?.(before + records);
    streams.push(await openRows(blob, name, chosen, { ...options, onFound }));
  }
  const filter = new RowFilter(selection, groups);
  const used = streams.map(() => 0);
  // A row that cannot be read is reported once: with those that are trained on.
  const reports = selection.side !== 'heldOut';
  const problems: RowProblem[] = [];
  const { leftOut } = filter;
  async function* rows(): AsyncGenerator<Row> {
    for (const [i, stream] of streams.entries()) {
      for await (const row of stream.rows) {
        const named = parts.length > 1 ? { ...row, file: parts[i]!.name } : row;
        if (!filter.takes(named)) continue;
        used[i]! += 1; // As many as there are streams and parts.
        yield named;
      }
      if (reports) for (const problem of stream.problems) problems.push(problem);
    }
  }
  return {
    rows: rows(),
    problems,
    unit: unitOf(streams),
    records: streams.reduce((sum, { records }) => sum + records, 0),
    format: formatOf(streams),
    formats: streams.map(({ format, columns }) => ({ format, columns })),
    columns: columnsOf(streams),
    leftOut: reports ? leftOut : { rows: [], count: 0 },
    get notes() {
      return [
        ...joinedNote(parts, used),
        ...streams.flatMap(({ notes }, i) =>
          notes.map((note) => (parts.length > 1 ? `${parts[i]!.name}: ${note}` : note)),
        ),
        ...(reports && leftOut.count > 0
          ? [
              `${leftOut.count} ${leftOut.count === 1 ? 'row is' : 'rows are'} left out by the recipe (left_out_rows).`,
            ]
          : []),
      ];
    },
  };
}

/** Reads all rows once. @returns fingerprints of those that are held out */
export async function heldOutGroups(
  parts: readonly DataPart[],
  chosen: ChosenColumns,
  selection: Selection,
  { promptsAlone }: OpeningOptions = {},
): Promise<Set<number>> {
  const groups = new RowGroups();
  const filter = new RowFilter(selection, null);
  for (const { name, blob } of parts)
    for await (const row of (await openRows(blob, name, chosen, { promptsAlone })).rows)
      if (filter.takes(row)) groups.add(row);
  return groups.heldOut(selection);
}

/** Files that a note names. */
const NAMED = 8;

/** A few names, and how many there are beside them. */
export function named(names: readonly string[]): string {
  const shown = names.length > NAMED ? [...names.slice(0, NAMED), `${names.length - NAMED} more`] : names;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

function joinedNote(parts: readonly DataPart[], used: readonly number[]): string[] {
  if (parts.length < 2) return [];
  const said = parts.map(({ name }, i) => `${name} (${used[i]} ${used[i] === 1 ? 'row' : 'rows'})`);
  return [`${named(said)} are joined: they are read as one file, in this order.`];
}

function unitOf(streams: readonly RowStream[]): RecordUnit {
  return streams.every(({ unit }) => unit === 'line') ? 'line' : 'row';
}

/** null where a file is in no known format. */
function formatOf(streams: readonly RowStream[]): string | null {
  const named = streams.filter(({ records }) => records > 0);
  if (named.length === 0 || named.some(({ format }) => format === null)) return null;
  return [...new Set(named.map(({ format }) => format))].join(' and ');
}

function columnsOf(streams: readonly RowStream[]): Column[] {
  const found = new Map<string, Column>();
  for (const { columns } of streams)
    for (const column of columns) if (!found.has(column.name)) found.set(column.name, column);
  return [...found.values()];
}
