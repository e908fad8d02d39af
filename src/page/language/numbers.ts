/** Numbers, dates and counted things as people read them in the page's locale. */
import { locale } from './locale.svelte.ts';

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/**
 * Formatters of one kind, one for each locale and choice of options: they are dear to make, and used for each
 * number of a stream.
 */
function formatters<O, F>(Kind: new (tag: string, options: O) => F): (options: O) => F {
  const made = new Map<string, F>();
  return (options) => {
    const key = `${locale.tag} ${JSON.stringify(options)}`;
    const format = made.get(key) ?? new Kind(locale.tag, options);
    made.set(key, format);
    return format;
  };
}

const numberFormat = formatters<Intl.NumberFormatOptions, Intl.NumberFormat>(Intl.NumberFormat);
const pluralRules = formatters<Intl.PluralRulesOptions, Intl.PluralRules>(Intl.PluralRules);
const listFormat = formatters<Intl.ListFormatOptions, Intl.ListFormat>(Intl.ListFormat);

function number(value: number, options: Intl.NumberFormatOptions): string {
  return numberFormat(options).format(value);
}

export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0)
    return number(value, { style: 'unit', unit: 'byte', unitDisplay: 'long', maximumFractionDigits: 0 });
  return `${number(value, { maximumFractionDigits: value < 10 ? 2 : 1 })} ${UNITS[unit]}`;
}

export function integer(value: number): string {
  return number(value, { maximumFractionDigits: 0 });
}

/** With so many digits after the decimal sign, and no sign between thousands. */
export function fixed(value: number, digits: number): string {
  return number(value, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false });
}

/** As few digits after the decimal sign as it takes, at most `digits`. */
export function rounded(value: number, digits: number): string {
  return number(value, { maximumFractionDigits: digits });
}

/** With at most so many significant digits: 1.2, 0.00034. */
export function significant(value: number, digits: number): string {
  return number(value, { maximumSignificantDigits: digits });
}

/** 1.2e-7, with the locale's decimal sign. */
export function exponential(value: number, digits?: number): string {
  return value.toExponential(digits).replace('.', decimalSign());
}

/** So many significant digits, as Number.toPrecision has them, with the locale's decimal sign. */
export function precise(value: number, digits: number): string {
  return value.toPrecision(digits).replace('.', decimalSign());
}

function decimalSign(): string {
  return fixed(0.5, 1).at(1)!;
}

/** Part of a whole in per cent; small ones are not rounded away. */
export function share(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (100 * part) / whole;
  return `${number(percent, percent < 10 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 0 })} %`;
}

/** 1,234,567 → 1.2 M */
export function compact(value: number): string {
  return number(value, { notation: 'compact', maximumFractionDigits: 1 });
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '…';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** @param date as JSON has it, or in milliseconds */
export function dateAndTime(date: string | number): string {
  return new Date(date).toLocaleString(locale.tag);
}

/** 27.11.26, 17:29 */
export function shortDateAndTime(date: string): string {
  return new Date(date).toLocaleString(locale.tag, { dateStyle: 'short', timeStyle: 'short' });
}

/** The forms of a counted thing, by the plural categories of Unicode that a language has; # is the number. */
export type PluralForms = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** plural(1200, { one: '# row', other: '# rows' }) → "1,200 rows" */
export function plural(count: number, forms: PluralForms): string {
  const form = forms[pluralRules({}).select(count)] ?? forms.other;
  return form.replace('#', () => integer(count));
}

/** "a, b and c" */
export function list(parts: readonly string[], type: 'conjunction' | 'disjunction' | 'unit' = 'conjunction') {
  return listFormat({ type }).format(parts);
}

/** Characters of scripts that are written from right to left. */
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** A sentence that another one goes on behind: without its own full stop. */
export function clause(text: string): string {
  return text.replace(/\.$/, '');
}

/**
 * What a person wrote, within a sentence of the page: where it is written from right to left it is isolated
 * (UAX 9), so that it does not reorder the words and numbers around it.
 */
export function isolated(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}
