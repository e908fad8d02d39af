/**
 * The dropped data files: one for training, any number of validation sets, and what keeps them from being
 * trained on.
 */
import { isValidationFile, validationSetName } from '../../data/files/fileNames.ts';
import { UserError } from '../../lib/errors.ts';
import type { FileReport } from '../../worker/dataset/datasetProtocol.ts';
import { WorkerDied } from '../../worker/supervisedWorker.ts';
import { DataFile, type Reading } from './DataFile.svelte.ts';
import { integer } from '../text.ts';
import { largest } from '../../lib/extremes.ts';

/** Curves and losses are kept by name: 'training' and each validation set. */
const TRAINING_CURVE = 'training';

export class DataFiles {
  train = $state.raw<DataFile | null>(null);
  validation = $state.raw<DataFile[]>([]);
  /** Whether the person chose to leave the bad rows of the training file out. */
  skipsBadRows = $state(false);

  get all(): DataFile[] {
    return [...(this.train ? [this.train] : []), ...this.validation];
  }

  /** Validation files that have rows to evaluate. */
  get usable(): DataFile[] {
    return this.validation.filter(({ report }) => report && report.summary.rows > 0);
  }

  /** Tokens of the longest row over the validation files. */
  get longestValidation(): number {
    return largest(
      this.validation.map(({ report }) => report?.summary.longest ?? 0),
      0,
    );
  }

  /**
   * Takes files: validation sets by their names, any other as the training file.
   * @throws UserError for two sets of one name
   */
  add(files: readonly File[]): void {
    for (const file of files) {
      if (isValidationFile(file.name)) this.addValidation(file);
      else {
        this.train?.dispose();
        this.skipsBadRows = false;
        this.train = this.watched(new DataFile(file, 'train', TRAINING_CURVE));
      }
    }
  }

  remove(file: DataFile): void {
    file.dispose();
    if (this.train === file) this.train = null;
    this.validation = this.validation.filter((other) => other !== file);
  }

  /** Reads all files again, with a model's tokenizer. */
  async load(reading: Reading): Promise<void> {
    await Promise.all(this.all.map((file) => file.load(reading)));
    await this.compare();
  }

  /**
   * Finds the rows that the training file shares with each validation file. Only hashes travel between the
   * workers.
   */
  async compare(): Promise<void> {
    const { train } = this;
    for (const file of this.all) file.overlaps = [];
    if (!train?.report) return;
    try {
      const own = await train.fingerprints();
      await Promise.all(
        this.usable.map(async (file) => {
          const [theirs, ours] = await Promise.all([
            file.overlap(own),
            file.fingerprints().then((prints) => train.overlap(prints)),
          ]);
          file.overlaps = [{ file: train.file.name, overlap: theirs }];
          const others = train.overlaps.filter((found) => found.file !== file.file.name);
          train.overlaps = [...others, { file: file.file.name, overlap: ours }].sort((a, b) =>
            a.file < b.file ? -1 : 1,
          );
        }),
      );
    } catch (error) {
      // A worker that died meanwhile reads its file again, and the files are compared again then.
      if (!(error instanceof WorkerDied)) throw error;
    }
  }

  private watched(file: DataFile): DataFile {
    file.onReread = () => void this.compare();
    return file;
  }

  /** Why these files cannot be trained on. A validation file that fails, fails alone. */
  get blockers(): string[] {
    const { train } = this;
    let reasons: string[] = [];
    if (!train) reasons.push('Drop a training file.');
    else if (train.error) reasons.push(train.error);
    else if (train.report) reasons = this.rowBlockers(train.report);
    for (const file of this.all) if (file.progress) reasons.push(`${file.file.name} is being read.`);
    return reasons;
  }

  private rowBlockers({ file, summary, problems, format, columns }: FileReport): string[] {
    if (format === null && columns.length > 0)
      return [`${file} is in no known format. Choose its columns above.`];
    if (summary.rows > 0 && (summary.badRows === 0 || this.skipsBadRows)) return [];
    const first = problems.find(({ kind }) => kind === 'bad') ?? problems[0];
    const example = first ? ` ${file}, ${first.unit} ${first.line}: ${first.reason}` : '';
    if (summary.rows === 0) return [`${file} has no row that can be trained.${example}`];
    return [
      `${file} has ${summary.badRows === 1 ? 'a bad row' : `${integer(summary.badRows)} bad rows`}: mend the file, or choose to train without.${example}`,
    ];
  }

  private addValidation(file: File): void {
    const name = validationSetName(file.name);
    if (name === TRAINING_CURVE)
      throw new UserError(
        `${file.name} would be a validation set called "${name}", which is the name of the training curve. Rename the file.`,
      );
    const twin = this.validation.find((other) => other.name === name);
    if (twin && twin.file.name !== file.name) {
      throw new UserError(
        `${file.name} and ${twin.file.name} are both called "${name}" (a set is named by its file name up to the first dot). Rename one of them.`,
      );
    }
    twin?.dispose();
    this.validation = [
      ...this.validation.filter((other) => other !== twin),
      this.watched(new DataFile(file, 'validation', name)),
    ].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
