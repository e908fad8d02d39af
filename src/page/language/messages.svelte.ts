/**
 * The page's texts in the language that is shown. `t.data.remove` is a text or a function that makes one;
 * read in markup or in a getter it follows a change of the language. English is part of the page, any other
 * language is loaded where it is used.
 */
import { report } from '../../lib/errorLog.ts';
import { keepSetting, keptSetting } from '../keptSettings.ts';
import { en, type Messages } from './en.ts';
import { languageOf, locale } from './locale.svelte.ts';

export type { Messages };

export const LANGUAGES = [
  { code: 'en', name: 'English', load: () => Promise.resolve(en) },
  { code: 'de', name: 'Deutsch', load: () => import('./de.ts').then(({ de }) => de) },
] as const satisfies readonly { code: string; name: string; load: () => Promise<Messages> }[];

export type LanguageCode = (typeof LANGUAGES)[number]['code'];

const KEY = 'finetab.language';

let shown = $state.raw<Messages>(en);

/** The texts, by the room of the page that they are in. */
export const t = Object.defineProperties(
  {},
  Object.fromEntries(
    (Object.keys(en) as (keyof Messages)[]).map((room) => [
      room,
      { enumerable: true, get: () => shown[room] },
    ]),
  ),
) as Readonly<Messages>;

class LanguageChoice {
  /** What the person chose; null: as the browser asks. */
  chosen = $state<LanguageCode | null>(null);
  /** The browser's, the most wanted first. */
  preferred = $state.raw<readonly string[]>([]);

  /** Shows the language that was chosen here before, else the first of the browser's that the page has. */
  async start(): Promise<void> {
    this.chosen = LANGUAGES.find(({ code }) => code === keptSetting(KEY))?.code ?? null;
    addEventListener('languagechange', () => void this.browserAsks(navigator.languages));
    await this.browserAsks(navigator.languages);
  }

  /** @param code null: as the browser asks */
  async choose(code: LanguageCode | null): Promise<void> {
    this.chosen = code;
    keepSetting(KEY, code);
    await this.show();
  }

  private get wanted(): LanguageCode {
    return this.chosen ?? preferredLanguage(this.preferred);
  }

  private async browserAsks(languages: readonly string[]): Promise<void> {
    this.preferred = languages;
    await this.show();
  }

  private async show(): Promise<void> {
    const code = this.wanted;
    const { load } = LANGUAGES.find((language) => language.code === code)!;
    try {
      const texts = await load();
      // Another one was chosen while this one was loaded.
      if (code !== this.wanted) return;
      shown = texts;
    } catch (error) {
      // Without a network and never loaded before: the page stays as it is.
      report(error, `loading the texts of the language ${code}`, 'warning');
      return;
    }
    locale.set(code, this.preferred);
    document.documentElement.lang = code;
  }
}

/** The first of the browser's languages that the page has; English where it has none of them. */
export function preferredLanguage(preferred: readonly string[]): LanguageCode {
  for (const tag of preferred) {
    const found = LANGUAGES.find(({ code }) => code === languageOf(tag));
    if (found) return found.code;
  }
  return 'en';
}

export const language = new LanguageChoice();
