/** Which role a recipe gives to dropped files, and by which paths it names them. */
import { baseName } from '../../../data/files/fileNames.ts';
import { trainFilesOf } from '../../../training/recipe.ts';
import type { Recipe } from '../../../training/recipe.ts';
import type { DataFile, Part, Role } from '../DataFile.svelte.ts';

type NamedFiles = Pick<Recipe, 'train_file' | 'validation_files'>;

/** A file's path, from the folder that it was dropped in. */
export function pathOf(file: File): string {
  return file.webkitRelativePath || file.name;
}

/**
 * The roles of files that the recipe names. A browser shows a file's name without its folders: of several
 * paths with one name, each is taken for one file, in the recipe's order.
 * @param present files that are here already and have taken their paths
 */
export function rolesInRecipe(
  files: readonly File[],
  recipe: NamedFiles,
  present: readonly Part[],
): Map<File, Role> {
  const named = [
    ...trainFilesOf(recipe).map((path) => ({ path, role: 'train' as const })),
    ...recipe.validation_files.map((path) => ({ path, role: 'validation' as const })),
  ];
  const claim = (file: File): Role | undefined => {
    const at = named.findIndex(({ path }) => isNamedBy(file, path));
    return at < 0 ? undefined : named.splice(at, 1)[0].role;
  };
  for (const { file } of present) if (!files.some((other) => pathOf(other) === pathOf(file))) claim(file);
  const roles = new Map<File, Role>();
  for (const file of files) {
    const role = claim(file);
    if (role) roles.set(file, role);
  }
  return roles;
}

function isNamedBy(file: File, path: string): boolean {
  return baseName(path) === file.name;
}

/** The data files as a recipe names them: by the paths of the recipe at hand where it names them already. */
export function filesForRecipe(
  train: DataFile | null,
  validation: readonly DataFile[],
  recipe: NamedFiles,
): NamedFiles {
  const dropped = validation.filter(({ side }) => side !== 'heldOut');
  const named = (parts: readonly Part[], paths: readonly string[]) => {
    const left = [...paths];
    return parts.map(({ file }) => {
      const at = left.findIndex((path) => isNamedBy(file, path));
      return at < 0 ? pathOf(file) : left.splice(at, 1)[0];
    });
  };
  const trained = train ? named(train.parts, trainFilesOf(recipe)) : [];
  return {
    train_file: !train ? recipe.train_file : trained.length === 1 ? trained[0] : trained,
    validation_files:
      dropped.length > 0
        ? named(
            dropped.flatMap(({ parts }) => parts),
            recipe.validation_files,
          )
        : recipe.validation_files,
  };
}
