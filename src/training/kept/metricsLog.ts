/**
 * The lines of metrics.jsonl of a run that goes on, as columns of numbers: room for the planned steps is made
 * at the start, so that the JavaScript heap does not grow with every step.
 */
import type { MetricsLine } from '../metrics.ts';

/** Of a checkpoint. Structured-cloneable. */
export interface StoredLines {
  tables: StoredTable[];
}

/** All lines that have the same keys in the same order. */
interface StoredTable {
  keys: string[];
  count: number;
  /** Which line of the whole each is, from 0; longer than `count`, as the columns are. */
  places: Uint32Array;
  /** Of each key its values. */
  columns: Float64Array[];
}

/** Lines that a run will have, as far as it can be said before it begins. */
export interface PlannedLines {
  steps: number;
  evaluations: number;
}

/** Points of a curve. The arrays are views that later lines do not change. */
export interface LoggedCurve {
  steps: Float64Array;
  values: Float64Array;
}

/** Lines that room is made for at once; of more planned ones room is made as they come. */
const MOST_AT_ONCE = 2 ** 14;
/** Room for lines that were not planned. */
const FIRST_ROOM = 64;
const UNKNOWN: PlannedLines = { steps: 0, evaluations: 0 };

export class MetricsLog {
  private readonly tables: Table[] = [];
  private count = 0;

  constructor(private readonly planned = UNKNOWN) {}

  /** @param lines as a checkpoint holds them; one of an earlier version holds the lines themselves */
  static of(lines: StoredLines | readonly MetricsLine[], planned = UNKNOWN): MetricsLog {
    const log = new MetricsLog(planned);
    for (const line of linesOf(lines)) log.push(line);
    return log;
  }

  get length(): number {
    return this.count;
  }

  push(line: MetricsLine): void {
    const keys = Object.keys(line).filter((key) => line[key] !== undefined);
    const name = JSON.stringify(keys);
    let table = this.tables.find((one) => one.name === name);
    if (!table) {
      const lines = this.planned['loss' in line ? 'steps' : 'evaluations'] || FIRST_ROOM;
      this.tables.push((table = new Table(name, keys, Math.min(lines, MOST_AT_ONCE))));
    }
    table.push(line, this.count++);
  }

  /** A curve of the lines that have the key, in their order; that of no line where none has it. */
  curve(key: string): LoggedCurve {
    const tables = this.tables.filter((table) => table.has(key));
    if (tables.length === 1) return tables[0].curve(key);
    const points = tables.flatMap((table) => table.points(key)).sort((a, b) => a.place - b.place);
    return {
      steps: Float64Array.from(points, ({ step }) => step),
      values: Float64Array.from(points, ({ value }) => value),
    };
  }

  /** The lines themselves, made at each call. */
  lines(): MetricsLine[] {
    return linesOf(this.view());
  }

  /** Undefined where there is none. */
  last(): MetricsLine | undefined {
    return this.tables.find((table) => table.lastPlace === this.count - 1)?.lastLine();
  }

  /** A copy for a checkpoint; with room for what is planned, so that all checkpoints take the same. */
  stored(): StoredLines {
    return structuredClone(this.view());
  }

  private view(): StoredLines {
    return { tables: this.tables.map((table) => table.stored()) };
  }
}

/** The lines that a checkpoint holds, of this version or an earlier one. */
export function linesOf(stored: StoredLines | readonly MetricsLine[]): MetricsLine[] {
  if (!('tables' in stored)) return [...stored];
  const lines: MetricsLine[] = [];
  for (const { keys, count, places, columns } of stored.tables)
    for (let i = 0; i < count; i++)
      lines[places[i]] = Object.fromEntries(keys.map((key, k) => [key, columns[k][i]])) as MetricsLine;
  return lines;
}

class Table {
  private count = 0;
  private places: Uint32Array;
  private columns: Float64Array[];
  /** The same object as long as no line is added: charts see by it that curves have the same steps. */
  private steps = new Float64Array(0);

  /** @param name its keys as one text @param room lines */
  constructor(
    readonly name: string,
    private readonly keys: readonly string[],
    room: number,
  ) {
    this.places = new Uint32Array(room);
    this.columns = keys.map(() => new Float64Array(room));
  }

  get lastPlace(): number {
    return this.places[this.count - 1];
  }

  has(key: string): boolean {
    return this.keys.includes(key);
  }

  push(line: MetricsLine, place: number): void {
    if (this.count === this.places.length) this.grow();
    this.places[this.count] = place;
    this.keys.forEach((key, k) => (this.columns[k][this.count] = line[key]));
    this.count++;
  }

  curve(key: string): LoggedCurve {
    if (this.steps.length !== this.count) this.steps = this.column('step');
    return { steps: this.steps, values: this.column(key) };
  }

  points(key: string): { place: number; step: number; value: number }[] {
    const { steps, values } = this.curve(key);
    return Array.from(values, (value, i) => ({ place: this.places[i], step: steps[i], value }));
  }

  lastLine(): MetricsLine {
    const last = this.count - 1;
    return Object.fromEntries(this.keys.map((key, k) => [key, this.columns[k][last]])) as MetricsLine;
  }

  stored(): StoredTable {
    const { count, places, columns } = this;
    return { keys: [...this.keys], count, places, columns };
  }

  private column(key: string): Float64Array<ArrayBuffer> {
    return this.columns[this.keys.indexOf(key)].subarray(0, this.count) as Float64Array<ArrayBuffer>;
  }

  private grow(): void {
    const room = 2 * this.places.length;
    const places = new Uint32Array(room);
    places.set(this.places);
    this.places = places;
    this.columns = this.columns.map((before) => {
      const column = new Float64Array(room);
      column.set(before);
      return column;
    });
  }
}
