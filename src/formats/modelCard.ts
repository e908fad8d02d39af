/** What a model card says of its model's licence. */

/** Bytes of a card that are read: its settings are at its beginning. */
const READ = 65536;
/** Characters of a licence that are kept. */
const MOST = 80;

/**
 * The licence that the YAML at the beginning of a README.md of the Hub names: `license_name`, else `license`,
 * of a list the first.
 * @returns null where it names none
 */
export async function licenceOfCard(card: Blob): Promise<string | null> {
  const settings = /^\uFEFF?---\r?\n([^]*?)\n---/.exec(await card.slice(0, READ).text())?.[1] ?? '';
  const lines = settings.split(/\r?\n/);
  const value = (key: string) => {
    const at = lines.findIndex((line) => line.startsWith(`${key}:`));
    if (at < 0) return null;
    const here = lines[at].slice(key.length + 1).trim();
    const written = here || (/^\s*-(.*)$/.exec(lines[at + 1] ?? '')?.[1] ?? '');
    return shownLicence(written.replace(/\s#.*$/, '').replace(/^[\s["']+|[\s\]"']+$/g, ''));
  };
  return value('license_name') ?? value('license');
}

/** @returns a licence's name, not too long to be shown; null for anything that is no text */
export function shownLicence(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, MOST) : null;
}
