/** A data file as a worker holds it: its rows encoded with the model's own tokenizer, and what to tell the page. */
import { buildDataset, previewTokens, type Dataset, type PreviewToken } from '../data/documents.ts';
import { parseRows } from '../data/rows.ts';
import { ChatTokenizer } from '../data/tokenizer.ts';
import { UserError } from '../lib/errors.ts';
import { openDatabase, type Database } from '../storage/database.ts';
import { findModel } from '../storage/models.ts';
import type { Question } from '../training/evaluation.ts';
import { maskChecks, packedPreview } from './maskPreview.ts';
import type { DataRequest, FileReport, PackedPreview, PackedRequest } from './protocol.ts';

const PROBLEMS_SHOWN = 200;

/** The tokenizer of a stored model. @throws UserError where the model is gone or has no usable tokenizer */
export async function tokenizerOf(modelId: string, opened: Promise<Database>): Promise<ChatTokenizer> {
  const manifest = await findModel(await opened, modelId);
  if (!manifest) throw new UserError('This model is not stored in this browser any more. Drop its files again.');
  return new ChatTokenizer(manifest.texts);
}

export class RowFile {
  private constructor(
    readonly dataset: Dataset,
    readonly tokenizer: ChatTokenizer,
  ) {}

  static async read({ modelId, settings, file }: DataRequest, onProgress: (done: number, total: number) => void): Promise<RowFile> {
    const database = openDatabase();
    const tokenizer = await tokenizerOf(modelId, database);
    (await database).close();
    const parsed = await parseRows(file, file.name);
    return new RowFile(await buildDataset(file.name, parsed, tokenizer, settings, onProgress), tokenizer);
  }

  report(): FileReport {
    const { file, summary, problems, documents } = this.dataset;
    return {
      file,
      summary,
      problems: problems.slice(0, PROBLEMS_SHOWN),
      lengths: documents.map(({ inputIds }) => inputIds.length),
      padTokenId: this.tokenizer.padTokenId,
      padToken: this.tokenizer.padToken,
      notes: this.tokenizer.notes,
      mask: maskChecks(this.dataset, this.tokenizer),
    };
  }

  packed(request: PackedRequest): PackedPreview | null {
    return packedPreview(this.dataset, this.tokenizer, request);
  }

  /** The first rows as questions: what generation starts from, and the answer they have. */
  questions(count: number): Question[] {
    const text = (ids: number[]) => this.tokenizer.decode(ids, { skipSpecial: true }).trim();
    return this.dataset.documents.slice(0, count).map(({ inputIds, promptTokens, line }) => {
      const promptIds = inputIds.slice(0, promptTokens);
      return { line, promptIds, prompt: text(promptIds), reference: text(inputIds.slice(promptTokens)) };
    });
  }

  preview(row: number): PreviewToken[] {
    const document = this.dataset.documents[row];
    return document ? previewTokens(document, this.tokenizer) : [];
  }
}
