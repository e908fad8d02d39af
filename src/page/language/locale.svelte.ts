/** The locale that numbers and dates are written in: the browser's own of the page's language. */

/** Browsers list region and script as well: de-CH writes 1’234.5 where de-DE writes 1.234,5. */
class Locale {
  /** A BCP 47 tag; English until a language is chosen. */
  tag = $state('en');

  /**
   * @param language what the page is written in
   * @param preferred the browser's languages, the most wanted first
   */
  set(language: string, preferred: readonly string[]): void {
    this.tag = preferred.find((tag) => languageOf(tag) === language) ?? language;
  }
}

export const locale = new Locale();

/** 'de' of 'de-AT'. */
export function languageOf(tag: string): string {
  return tag.toLowerCase().split('-')[0];
}
