/** Functions that templates call: range, and strftime_now for a day that is given. */
import { MAX_RANGE, TemplateLimitError } from './renderBudget.ts';

/** range() as a list. @throws Error where it is longer than jinja2's sandbox allows */
export function range(from: number, to?: number, step = 1): number[] {
  const [start, stop] = to === undefined ? [0, from] : [from, to];
  const length = Math.ceil((stop - start) / step);
  if (!Number.isFinite(length) || length > MAX_RANGE)
    throw new Error(`a range of ${length} numbers; at most ${MAX_RANGE} are allowed`);
  return Array.from({ length: Math.max(0, length) }, (_, i) => start + i * step);
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Characters of a date's form. */
const LONGEST_FORMAT = 1024;

/** datetime.strftime in the C locale. @throws TemplateLimitError where the form is longer than any */
export function strftime(date: Date, format: string): string {
  if (format.length > LONGEST_FORMAT)
    throw new TemplateLimitError(`writes a date in a form of ${format.length} characters`);
  const two = (value: number) => String(value).padStart(2, '0');
  const [month, day] = [MONTHS[date.getUTCMonth()]!, DAYS[date.getUTCDay()]!];
  const hour = date.getUTCHours();
  const fields: Record<string, string> = {
    Y: String(date.getUTCFullYear()),
    y: two(date.getUTCFullYear() % 100),
    m: two(date.getUTCMonth() + 1),
    d: two(date.getUTCDate()),
    B: month,
    b: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    H: two(hour),
    I: two(hour % 12 || 12),
    p: hour < 12 ? 'AM' : 'PM',
    M: two(date.getUTCMinutes()),
    S: two(date.getUTCSeconds()),
    '%': '%',
  };
  return format.replace(/%(-?)([a-zA-Z%])/g, (all: string, dash: string, key: string) => {
    const text = Object.hasOwn(fields, key) ? fields[key]! : all;
    return dash ? text.replace(/^0(?=.)/, '') : text;
  });
}
