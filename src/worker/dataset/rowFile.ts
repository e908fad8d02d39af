/**
 * A data file in a worker: its rows, encoded with the model's own tokenizer, and the report on them for the
 * page.
 */
import { documentLines } from '../../data/documentLines.ts';
import { buildDataset, type Dataset } from '../../data/documents.ts';
import { lineText, mendLine } from '../../data/files/mendLine.ts';
import { mendRow, rowText } from '../../data/files/mendRow.ts';
import { openJoinedRows, type DataPart, type JoinedRows } from '../../data/rows/joinedRows.ts';
import { openRows } from '../../data/rows/parseRows.ts';
import { maskReasons, type MaskReasons } from '../../data/rows/encoding/maskReasons.ts';
import type { DocumentSettings } from '../../data/rows/encoding/documentTypes.ts';
import { ChatTokenizer, filesOfModel } from '../../data/tokenizer/chatTokenizer.ts';
import { IGNORE_INDEX } from '../../data/types.ts';
import { UserError } from '../../lib/errors.ts';
import { sha256OfBlob } from '../../lib/sha256Stream.ts';
import { type Database } from '../../storage/database.ts';
import { openDatabase } from '../../storage/openDatabase.ts';
import { findModel } from '../../storage/models.ts';
import type { Question } from '../../training/evaluation.ts';
import { overlapOf, type Fingerprints, type Overlap } from '../../data/rows/rowStatistics.ts';
import { maskChecks, PackedPreviews } from './packedPreview.ts';
import type {
  DataRequest,
  FilePart,
  FileReport,
  PackedPreview,
  PackedRequest,
  RowFileApi,
  RowPlace,
  RowToken,
} from './datasetProtocol.ts';

const PROBLEMS_SHOWN = 200;

/** The tokenizer of a stored model. @throws UserError where the model is gone or has no usable tokenizer */
async function tokenizerOf(modelId: string, opened: Promise<Database>): Promise<ChatTokenizer> {
  const manifest = await findModel(await opened, modelId);
  if (!manifest)
    throw new UserError('This model is not stored in this browser any more. Drop its files again.');
  return new ChatTokenizer(filesOfModel(manifest));
}

interface ReadOptions {
  /** @param total 0 while the rows are counted, in which case `done` of them were found so far */
  onProgress: (done: number, total: number) => void;
  /** Whether `questions` will be asked for. */
  keepsSources: boolean;
}

/** Whether rows are prompts to which answers are sampled. */
function readsPrompts({ preferences }: DocumentSettings): boolean {
  return typeof preferences === 'object' && preferences.as === 'prompts' && preferences.only;
}

export class RowFile {
  private readonly previews: PackedPreviews;

  private constructor(
    private readonly parts: readonly FilePart[],
    private readonly parsed: Pick<JoinedRows, 'format' | 'columns' | 'unit' | 'leftOut'>,
    readonly dataset: Dataset,
    readonly tokenizer: ChatTokenizer,
  ) {
    this.previews = new PackedPreviews(dataset.documents, tokenizer);
  }

  static async read(
    { modelId, settings, columns, parts, selection }: DataRequest,
    { onProgress, keepsSources }: ReadOptions,
  ): Promise<RowFile> {
    const database = openDatabase();
    const tokenizer = await tokenizerOf(modelId, database);
    (await database).close();
    const hashes: string[] = [];
    for (const { blob } of parts) hashes.push(await sha256OfBlob(blob));
    const samplesAnswers = readsPrompts(settings);
    const parsed = await openJoinedRows(parts, columns, selection, null, {
      promptsAlone: samplesAnswers,
      onFound: (records) => onProgress(records, 0),
    });
    const { format, columns: found, unit, formats, leftOut } = parsed;
    const file = parts.map(({ name }) => name).join(' + ');
    return new RowFile(
      parts.map(({ name }, i) => ({ file: name, sha256: hashes[i], ...formats[i] })),
      { format, columns: found, unit, leftOut },
      await buildDataset(file, parsed, tokenizer, settings, {
        onProgress,
        keepSources: keepsSources || samplesAnswers,
      }),
      tokenizer,
    );
  }

  report(): FileReport {
    const { file, summary, problems, documents, histogram, repeats, findings } = this.dataset;
    const { format, columns, unit, leftOut } = this.parsed;
    return {
      file,
      parts: [...this.parts],
      format,
      columns,
      unit,
      summary,
      problems: problems.slice(0, PROBLEMS_SHOWN),
      lengths: documents.lengths,
      histogram,
      repeats,
      findings,
      leftOut,
      padTokenId: this.tokenizer.padTokenId,
      padToken: this.tokenizer.padToken,
      notes: [...this.tokenizer.notes, ...this.dataset.notes],
      mask: maskChecks(this.dataset, this.tokenizer),
      prompts: this.dataset.prompts,
    };
  }

  packed(request: PackedRequest): PackedPreview | null {
    return this.previews.preview(request);
  }

  rowTokens(row: number): RowToken[] {
    const { documents } = this.dataset;
    if (row >= documents.length) return [];
    const { inputIds, labels } = documents.at(row);
    return Array.from(inputIds, (id, i) => ({
      id,
      text: this.tokenizer.tokenText(id),
      supervised: labels[i] !== IGNORE_INDEX,
      special: this.tokenizer.isSpecial(id),
    }));
  }

  /** The first rows to generate answers for: conversations whose last prompt was not cut. */
  questions(most: number): Question[] {
    const { documents, sources } = this.dataset;
    const questions: Question[] = [];
    for (let row = 0; row < documents.length && questions.length < most; row++) {
      const { kind, question, answer, record } = sources[row];
      if (kind !== 'chat' || documents.promptTokensOf(row) >= documents.lengths[row]) continue;
      const { inputIds, promptTokens, line } = documents.at(row);
      questions.push({
        file: documents.fileOf(row),
        record,
        line,
        promptIds: [...inputIds.subarray(0, promptTokens)],
        prompt: question,
        reference: answer.trim(),
      });
    }
    return questions;
  }
}

/** One data file served to the page. */
export class RowFileHost implements RowFileApi {
  rows: RowFile | null = null;
  private parts: readonly DataPart[] = [];
  private request: DataRequest | null = null;

  /** @param keepsSources whether questions and answers are asked for later, in words */
  constructor(private readonly keepsSources: boolean) {}

  async load(request: DataRequest, onProgress: (done: number, total: number) => void): Promise<FileReport> {
    this.parts = request.parts;
    this.request = request;
    this.rows = await RowFile.read(request, { onProgress, keepsSources: this.keepsSources });
    return this.rows.report();
  }

  async packed(request: PackedRequest): Promise<PackedPreview | null> {
    return this.rows?.packed(request) ?? null;
  }

  async rowTokens(row: number): Promise<RowToken[]> {
    return this.read.rowTokens(row);
  }

  /** Reads the file again up to the row: a row in words is not kept. */
  async maskReasons(row: number): Promise<MaskReasons> {
    const { dataset, tokenizer } = this.read;
    const { settings, columns } = this.request!;
    const document = dataset.documents.at(row);
    const part = this.parts.find(({ name }) => name === document.file) ?? this.parts[0];
    const opened = await openRows(part.blob, part.name, columns, { promptsAlone: readsPrompts(settings) });
    for await (const found of opened.rows)
      if (found.line === document.line) return maskReasons(found, document, tokenizer, settings);
    throw new UserError(`${part.name} has no ${opened.unit} ${document.line} any more. Drop it again.`);
  }

  rowText({ part, line, unit }: RowPlace): Promise<string> {
    const { blob, name } = this.parts[part];
    return unit === 'line' ? lineText(blob, line) : rowText(blob, name, line);
  }

  mendRow({ part, line, unit }: RowPlace, text: string | null): Promise<Blob> {
    const { blob, name } = this.parts[part];
    return unit === 'line' ? mendLine(blob, line, text) : mendRow(blob, name, line, text);
  }

  async documentLines(): Promise<Blob> {
    return documentLines(this.read.dataset.documents);
  }

  async fingerprints(): Promise<Fingerprints> {
    return this.read.dataset.fingerprints;
  }

  async overlap(other: Fingerprints): Promise<Overlap> {
    return overlapOf(this.read.dataset.fingerprints, other);
  }

  /** @throws where no file was read */
  protected get read(): RowFile {
    if (!this.rows) throw new Error('the file was not read');
    return this.rows;
  }
}
