/** Records of a data file, and what is wrong with those that cannot be used. */

/** What the numbers of records count: lines of the text; or rows, the header of a table being row 1. */
export type RecordUnit = 'line' | 'row';

export interface DataRecord {
  /** 1-based. */
  line: number;
  value: unknown;
}

/** A row that will not be trained, and why. */
export interface RowProblem {
  file: string;
  line: number;
  unit: RecordUnit;
  /**
   * `limit`: a sound row that max_length leaves nothing of; `bad`: the row itself must be mended or left out.
   */
  kind: 'bad' | 'limit';
  reason: string;
  /** The beginning of what stands there. */
  excerpt: string;
}

/** A record that cannot be read, and why. */
export type BrokenRecord = Omit<RowProblem, 'file' | 'kind'>;

export interface Records {
  unit: RecordUnit;
  records: DataRecord[];
  problems: BrokenRecord[];
}

/** The records of a file, which need not all be in memory at once. */
export interface RecordSource {
  unit: RecordUnit;
  /** Reads the file from its beginning; it may be read several times. */
  read(): AsyncIterable<DataRecord | BrokenRecord> | Iterable<DataRecord | BrokenRecord>;
}

/** Records that are in memory already. */
export function keptRecords({ unit, records, problems }: Records): RecordSource {
  return { unit, read: () => [...problems, ...records] };
}

/** Longest reason: one that quotes much is cut. */
const LONGEST_REASON = 380;

/** A problem whose reason is short enough to be read. */
export function rowProblem(problem: RowProblem): RowProblem {
  const { reason } = problem;
  return reason.length > LONGEST_REASON
    ? { ...problem, reason: `${reason.slice(0, LONGEST_REASON)}…` }
    : problem;
}

const EXCERPT = 80;

export function excerpt(text: string): string {
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text;
}

/** One fault of a whole file. */
export function wholeFile(reason: string, text = ''): Records {
  return { unit: 'line', records: [], problems: [{ line: 1, unit: 'line', reason, excerpt: excerpt(text) }] };
}
