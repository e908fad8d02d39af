/**
 * Rules of the house that no other tool holds: lengths of lines and files, files a folder, and words that a
 * reader from the field would not know.
 */

export interface Violation {
  path: string;
  /** 1-based; absent where the rule is about the whole file or folder. */
  line?: number;
  message: string;
}

export interface SourceFile {
  /** From the project's root, with slashes. */
  path: string;
  text: string;
}

const MOST_COLUMNS = 110;
/** A file over the first bound is split, or is named below; none is over the second. */
const MANY_LINES = 250;
const MOST_LINES = 300;
const MOST_FILES = 16;

/** Tables of cases, which may be over MANY_LINES. */
const LONG_FILES: readonly string[] = ['src/page/recipe/recipeFields.ts'];

/** All texts of the page in one language: as long as the page has texts. */
const LANGUAGE_FILE = /^src\/page\/language\/((row|model)Messages\.)?[a-z]{2}\.ts$/;

/** Words of the project's former private language, and what the field calls the thing. */
const WORDS: Readonly<Record<string, string>> = {
  anew: 'again',
  befell: 'happened',
  resident: 'device buffer',
  residents: 'device buffers',
  shelf: 'library',
  strength: 'adapter scale',
  told: 'reported, notified',
  turned: 'transposed',
};

/** A text of one piece: a message that a person reads is not cut in two, so that it can be searched for. */
const TEXT = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`?|\/(?:[^/\\\n]|\\.)+\/[a-z]*|>[^<>{}]+</g;

/**
 * @returns lines over 110 columns, comments included, unless they are longer only by a text, a pattern or one
 * address
 */
export function longLines({ path, text }: SourceFile): Violation[] {
  return text.split('\n').flatMap((line, i) => {
    const columns = [...line].length;
    if (columns <= MOST_COLUMNS || isUnbreakable(line)) return [];
    return [{ path, line: i + 1, message: `${columns} columns, more than ${MOST_COLUMNS}` }];
  });
}

function isUnbreakable(line: string): boolean {
  if (/^\s*(\/\/|\/?\*)/.test(line)) return /^\s*(\/\/|\/?\*+)\s*\S+$/.test(line);
  const comment = line.search(/ \/\/ | \/\*/);
  const code = comment < 0 ? line : line.slice(0, comment);
  const longest = (code.match(TEXT) ?? []).reduce((most, part) => Math.max(most, part.length), 0);
  return comment < 0 && line.length - longest < MOST_COLUMNS;
}

/**
 * @returns the file, where it is of src and over 300 lines, or over 250 and not named in LONG_FILES; the
 * texts of a language may be as long as they are
 */
export function longFile({ path, text }: SourceFile): Violation[] {
  if (!path.startsWith('src/') || LANGUAGE_FILE.test(path)) return [];
  const lines = text.trimEnd().split('\n').length;
  const most = LONG_FILES.includes(path) ? MOST_LINES : MANY_LINES;
  return lines <= most ? [] : [{ path, message: `${lines} lines, more than ${most}: split it` }];
}

/** @returns words in names and comments that have a standard term */
export function privateWords({ path, text }: SourceFile): Violation[] {
  return text.split('\n').flatMap((line, i) =>
    (line.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? []).flatMap((part) => {
      const word = part.toLowerCase();
      return Object.hasOwn(WORDS, word)
        ? [{ path, line: i + 1, message: `"${word}": write ${WORDS[word]}` }]
        : [];
    }),
  );
}

/** @returns folders of src and shaders that hold more than 16 files themselves */
export function fullFolders(paths: readonly string[]): Violation[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > MOST_FILES)
    .map(([path, count]) => ({ path, message: `${count} files, more than ${MOST_FILES}: make sub-folders` }));
}
