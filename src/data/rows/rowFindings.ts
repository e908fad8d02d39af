/**
 * Rows of a file that a person should look at before training: the longest, those whose answers are cut,
 * those whose answers say nothing, and those in another language than the rest.
 */
import { excerpt } from '../files/records.ts';
import { answerOf, type Row } from './conversation.ts';
import { languageOf } from './language.ts';
import { rowKey } from './rowStatistics.ts';

export interface FoundRow {
  line: number;
  /** Where several files are read as one. */
  file?: string;
  /** By which the recipe leaves it out. */
  key: string;
  /** Why it was found: "812 tokens". */
  what: string;
  /** The beginning of its answer. */
  text: string;
}

/** Rows of which the first are listed. */
export interface CountedRows {
  rows: FoundRow[];
  count: number;
}

/** Each list has the first or the most marked rows; the counts are of all. */
export interface RowFindings {
  longest: FoundRow[];
  cut: FoundRow[];
  empty: CountedRows;
  /** Rows in languages of few rows, beside the language of most. */
  foreign: CountedRows & { usual: string | null };
}

const SHOWN = 10;
/** A language of fewer rows than this share is an odd one. */
const RARE = 0.05;

/** Texts that stand where an answer is missing. */
const PLACEHOLDERS = ['n/a', 'na', 'none', 'null', 'nan', 'undefined', 'todo', 'tbd', 'empty'];

/** Whether nothing is left of an answer without markup, invisible characters and punctuation. */
export function saysNothing(answer: string): boolean {
  if (answer.length > 400) return false;
  const cleaned = answer
    .replace(/<[^<>]*>/g, ' ')
    .replace(/&nbsp;/g, ' ')
    .replace(/[\p{C}\p{Z}\s]+/gu, ' ')
    .trim()
    .toLowerCase();
  return PLACEHOLDERS.includes(cleaned) || !/[\p{L}\p{N}\p{S}]/u.test(cleaned);
}

export class FindingsBuilder {
  private readonly longest: Most = new Most();
  private readonly cut: Most = new Most();
  private readonly empty: FoundRow[] = [];
  private emptyCount = 0;
  private readonly languages = new Map<string, { count: number; rows: FoundRow[] }>();
  private rows = 0;

  /** @param documents of the row, as it is trained */
  push(row: Row, documents: readonly { inputIds: ArrayLike<number>; truncatedTokens: number }[]): void {
    this.rows++;
    let [tokens, lost] = [0, 0];
    for (const { inputIds, truncatedTokens } of documents) {
      tokens += inputIds.length + truncatedTokens;
      lost += truncatedTokens;
    }
    this.longest.offer(tokens, () => found(row, `${tokens} tokens`));
    if (lost > 0) this.cut.offer(lost, () => found(row, `${lost} of ${tokens} tokens are cut off`));
    const answer = answerOf(row);
    if (row.kind !== 'prompt' && saysNothing(answer) && ++this.emptyCount <= SHOWN)
      this.empty.push(found(row, 'nothing is left without markup and punctuation'));
    const language = languageOf(answer);
    if (language === null) return;
    const known = this.languages.get(language) ?? { count: 0, rows: [] };
    this.languages.set(language, known);
    if (++known.count <= SHOWN) known.rows.push(found(row, language));
  }

  finish(): RowFindings {
    const languages = [...this.languages].sort(([, a], [, b]) => b.count - a.count);
    const rare = languages.slice(1).filter(([, { count }]) => count < RARE * this.rows);
    return {
      longest: this.longest.rows,
      cut: this.cut.rows,
      empty: { rows: this.empty, count: this.emptyCount },
      foreign: {
        rows: rare
          .flatMap(([, { rows }]) => rows)
          .slice(0, SHOWN)
          .sort((a, b) => a.line - b.line),
        count: rare.reduce((sum, [, { count }]) => sum + count, 0),
        usual: languages[0]?.[0] ?? null,
      },
    };
  }
}

/** @param what why it was found */
export function found(row: Row, what: string): FoundRow {
  return {
    line: row.line,
    ...(row.file === undefined ? {} : { file: row.file }),
    key: rowKey(row),
    what,
    text: excerpt(answerOf(row)),
  };
}

/** The rows with the largest figures, the largest first. */
class Most {
  private readonly kept: { figure: number; row: FoundRow }[] = [];

  offer(figure: number, row: () => FoundRow): void {
    const { kept } = this;
    if (kept.length === SHOWN && figure <= kept.at(-1)!.figure) return;
    const at = kept.findIndex((other) => other.figure < figure);
    kept.splice(at < 0 ? kept.length : at, 0, { figure, row: row() });
    kept.length = Math.min(kept.length, SHOWN);
  }

  get rows(): FoundRow[] {
    return this.kept.map(({ row }) => row);
  }
}
