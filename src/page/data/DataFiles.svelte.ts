/**
 * The dropped data files: those that are trained on, read as one, and any number of validation sets; and what
 * keeps them from being trained on.
 */
import { t } from '../language/messages.svelte.ts';
import { isValidationFile, nameBeside, validationSetName } from '../../data/files/fileNames.ts';
import { HELD_OUT } from '../../data/rows/rowSelection.ts';
import { largest } from '../../lib/extremes.ts';
import type { Recipe } from '../../training/recipe.ts';
import type { FileReport } from '../../worker/dataset/datasetProtocol.ts';
import { WorkerDied } from '../../worker/supervisedWorker.ts';
import { DataFile, type Part, type Reading, type Role } from './DataFile.svelte.ts';
import { pathOf, rolesInRecipe } from './recipe/recipeRoles.ts';

/** Curves and losses are kept by name: 'training' and each validation set. */
const TRAINING_CURVE = 'training';
const RESERVED = [TRAINING_CURVE, HELD_OUT];

/** The keys of a recipe that name data files. */
export type NamedFiles = Pick<Recipe, 'train_file' | 'validation_files'>;

export class DataFiles {
  train = $state.raw<DataFile | null>(null);
  validation = $state.raw<DataFile[]>([]);
  /** Whether the person chose to leave the bad rows of the training file out. */
  skipsBadRows = $state(false);
  /** What the last drop did to files that were there already, in sentences. */
  changes = $state.raw<string[]>([]);

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
   * Takes files in the roles that the recipe gives them, else by their names. A file that lies here already
   * takes its own place; another training file is joined to the first.
   */
  add(files: readonly File[], recipe: NamedFiles = { train_file: '', validation_files: [] }): void {
    const before = this.parts.map(({ part }) => part);
    const changes: string[] = [];
    const trainBefore = this.train;
    const roles = rolesInRecipe(files, recipe, before);
    for (const file of files) {
      const path = pathOf(file);
      const old = this.parts.find(({ part }) => before.includes(part) && pathOf(part.file) === path);
      const role = old?.owner.role ?? roles.get(file) ?? (isValidationFile(path) ? 'validation' : 'train');
      if (old) {
        this.take(old.part, old.owner);
        changes.push(t.data.readAgain(path));
      }
      this.put(this.partOf(file), role, old?.owner.role === 'validation' ? old.owner.name : undefined);
    }
    if (trainBefore && this.train && this.train.parts.length > trainBefore.parts.length)
      changes.push(t.data.joined(this.train.parts.map(({ name }) => name)));
    this.changes = changes;
  }

  /** These files, in their order, take the place of all that are here. @param set null: by the file's name */
  restore(files: readonly (Part & { role: Role; set: string | null })[]): void {
    this.setTrain([]);
    for (const file of this.validation) file.dispose();
    this.validation = [];
    for (const { role, set, ...part } of files) this.put(part, role, set ?? undefined);
    this.changes = [];
  }

  /** Uses a file for something else. */
  setRole(owner: DataFile, part: Part, role: Role): void {
    if (owner.role === role) return;
    this.take(part, owner);
    this.put(part, role);
    this.changes = [];
  }

  /** Puts a file in the place of one that was mended. */
  replace(owner: DataFile, part: Part, file: File): void {
    const made = { file, name: part.name, isMended: true };
    const parts = owner.parts.map((other) => (other === part ? made : other));
    if (owner.role === 'train') this.setTrain(parts);
    else {
      owner.dispose();
      const fresh = this.watched(new DataFile(parts, 'validation', owner.name));
      this.validation = this.validation.map((other) => (other === owner ? fresh : other));
    }
  }

  /** @param part one of several that are read as one; all of them where it is left out */
  remove(owner: DataFile, part?: Part): void {
    for (const each of part ? [part] : owner.parts) this.take(each, owner);
    this.changes = [];
  }

  /** Reads all files again, with a model's tokenizer. */
  async load(reading: Reading): Promise<void> {
    this.holdOut(reading.selection.valSetSize > 0);
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
          file.overlaps = [{ file: train.title, overlap: theirs }];
          const others = train.overlaps.filter((found) => found.file !== file.title);
          train.overlaps = [...others, { file: file.title, overlap: ours }].sort((a, b) =>
            a.file < b.file ? -1 : 1,
          );
        }),
      );
    } catch (error) {
      // A worker that died meanwhile reads its file again, and the files are compared again then.
      if (!(error instanceof WorkerDied)) throw error;
    }
  }

  /** Why these files cannot be trained on. A validation file that fails, fails alone. */
  get blockers(): string[] {
    const { train } = this;
    let reasons: string[] = [];
    if (!train) reasons.push(t.data.dropTrainingFile);
    else if (train.error ?? train.stopped) reasons.push((train.error ?? train.stopped)!);
    else if (train.report) reasons = this.rowBlockers(train.report);
    for (const file of this.all) if (file.progress) reasons.push(t.data.isBeingRead(file.title));
    return reasons;
  }

  private rowBlockers({ file, parts, summary, problems, columns }: FileReport): string[] {
    const unknown = parts.find((part) => part.format === null && part.columns.length > 0);
    if (unknown && columns.length > 0) return [t.data.unknownFormat(unknown.file)];
    if (summary.rows > 0 && (summary.badRows === 0 || this.skipsBadRows)) return [];
    const first = problems.find(({ kind }) => kind === 'bad') ?? problems[0];
    const example = first ? ` ${t.data.problemAt({ ...first, reason: t.errors.ofRow(first.reason) })}` : '';
    if (summary.rows === 0) return [`${t.data.noUsableRow(file)}${example}`];
    return [`${t.data.badRows(file, summary.badRows)}${example}`];
  }

  /** Every file that a person dropped, with what it is part of. */
  get parts(): { part: Part; owner: DataFile }[] {
    return this.all
      .filter(({ side }) => side !== 'heldOut')
      .flatMap((owner) => owner.parts.map((part) => ({ part, owner })));
  }

  /** A file under a name that no other has: its own, with its folders, or with a number. */
  private partOf(file: File): Part {
    const taken = this.parts.map(({ part }) => part.name);
    const name = taken.includes(file.name) ? pathOf(file) : file.name;
    return { file, name: nameBeside(name, taken) };
  }

  private put(part: Part, role: Role, setName = validationSetName(part.file.name)): void {
    if (role === 'train') this.setTrain([...(this.train?.parts ?? []), part]);
    else {
      const name = nameBeside(setName, [...RESERVED, ...this.validation.map((other) => other.name)]);
      this.setValidation([...this.validation, this.watched(new DataFile([part], 'validation', name))]);
    }
  }

  private take(part: Part, owner: DataFile): void {
    const rest = owner.parts.filter((other) => other !== part);
    const isTrain = this.train?.parts.includes(part) ?? false;
    if (isTrain) this.setTrain(this.train!.parts.filter((other) => other !== part));
    else if (rest.length === 0) {
      owner.dispose();
      this.setValidation(this.validation.filter((other) => other !== owner));
    }
  }

  private setTrain(parts: readonly Part[]): void {
    this.train?.dispose();
    this.skipsBadRows = false;
    this.train = parts.length > 0 ? this.watched(new DataFile(parts, 'train', TRAINING_CURVE)) : null;
    // Held out of other rows now: made again when they are read.
    this.holdOut(false);
  }

  /** Makes the validation set that is held out of the training files, or takes it away. */
  private holdOut(isWanted: boolean): void {
    const held = this.validation.find(({ side }) => side === 'heldOut');
    const { train } = this;
    if (held && isWanted && train) return;
    held?.dispose();
    const rest = this.validation.filter((file) => file !== held);
    if (!isWanted || !train) {
      if (held) this.validation = rest;
      return;
    }
    this.setValidation([...rest, this.watched(new DataFile(train.parts, 'validation', HELD_OUT, 'heldOut'))]);
  }

  private setValidation(files: readonly DataFile[]): void {
    this.validation = files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  private watched(file: DataFile): DataFile {
    file.onReread = () => void this.compare();
    return file;
  }
}
