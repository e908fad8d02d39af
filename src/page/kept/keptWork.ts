/** The work at hand as this browser keeps it: model, recipe, and which files in which roles. */
import { parseRecipe, type Recipe } from '../../training/recipe.ts';
import { reported } from '../errors/reported.ts';
import { keepSetting, keptSetting } from '../keptSettings.ts';
import type { Part, Role } from '../data/DataFile.svelte.ts';

export interface KeptPart {
  /** Of its bytes or its handle in the database. */
  id: string;
  /** As Part has it. */
  name: string;
  isMended: boolean;
  fileName: string;
  /** With its folders; '' where it was not in one. */
  path: string;
  bytes: number;
  /** As File has it. */
  lastModified: number;
  role: Role;
  /** Of a validation set: its name. */
  set: string | null;
  /** What is kept of it: its bytes, its place on the disk, or its name alone. */
  as: 'copy' | 'handle' | 'name';
}

export interface KeptWork {
  modelId: string | null;
  recipe: Recipe;
  skipsBadRows: boolean;
  files: KeptPart[];
}

const KEY = 'finetab.work';
const ROLES: readonly Role[] = ['train', 'validation'];

/** @returns whether the browser keeps it over a reload */
export function keepWork(work: KeptWork | null): boolean {
  return keepSetting(KEY, work && JSON.stringify(work));
}

/** Null where there is none, or another version of the page wrote it. */
export function keptWork(): KeptWork | null {
  const kept = keptSetting(KEY);
  if (kept === null) return null;
  try {
    const { modelId, recipe, skipsBadRows, files } = JSON.parse(kept) as KeptWork;
    const texts = [
      modelId ?? '',
      ...files.flatMap(({ id, name, fileName, path }) => [id, name, fileName, path]),
    ];
    if (texts.some((text) => typeof text !== 'string') || files.some(({ role }) => !ROLES.includes(role)))
      throw new Error('it is not of the form that this version writes');
    return { modelId, recipe: parseRecipe(recipe), skipsBadRows: skipsBadRows === true, files };
  } catch (error) {
    // Its recipe has other keys than this version's.
    reported(error, 'reading the work of the last visit');
    keepSetting(KEY, null);
    return null;
  }
}

/** The file of a part, with the name and the path that it had. */
export function partOf({ name, isMended, fileName, path, lastModified }: KeptPart, bytes: Blob): Part {
  const file = bytes instanceof File ? bytes : new File([bytes], fileName, { lastModified });
  if (path !== '') Object.defineProperty(file, 'webkitRelativePath', { value: path });
  return { file, name, isMended };
}
