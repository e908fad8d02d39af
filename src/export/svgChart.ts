/** A line chart as SVG text, for reports. */
import { inHtml } from './escape.ts';

export interface SvgCurve {
  name: string;
  steps: readonly number[];
  values: readonly number[];
}

const WIDTH = 640;
const HEIGHT = 240;
const LEFT = 56;
const RIGHT = 120;
const TOP = 12;
const BOTTOM = 28;
/** Colours that most people can distinguish on white; dashes distinguish the curves without colour. */
const COLOURS = ['#17624f', '#0a5c96', '#9a4a00', '#8e3a73', '#5d5a00', '#4a4fa3', '#9d2226', '#4d565e'];
const DASHES = ['', '8 4', '2 3', '10 3 2 3'];

/** Options of the axes. */
export interface SvgAxes {
  /** The text below the first and the last step. */
  label?: (step: number) => string;
  /** The lowest value shown; the least of all where absent. */
  lowest?: number;
  /** A logarithmic scale of values; what is not positive is left out. */
  log?: boolean;
}

/** @returns '' where no curve has a value */
export function svgChart(
  curves: readonly SvgCurve[],
  { label = (step) => `step ${Math.round(step)}`, lowest, log = false }: SvgAxes = {},
): string {
  const drawn = curves.map((curve) => ({
    ...curve,
    points: curve.steps
      .map((step, i) => [step, log ? Math.log10(curve.values[i]) : curve.values[i]] as const)
      .filter(([, value]) => Number.isFinite(value)),
  }));
  const points = drawn.flatMap((curve) => curve.points);
  if (points.length === 0) return '';
  const [x0, x1] = range(points.map(([step]) => step));
  const [y0, y1] = range([...points.map(([, value]) => value), ...(lowest === undefined ? [] : [lowest])]);
  const x = (step: number) => LEFT + ((step - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - ((value - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const digits = log ? 3 : tickDigits(y0, y1);
  const grid = [0, 1, 2, 3, 4].map((i) => {
    const value = y0 + ((y1 - y0) * i) / 4;
    return `<path d="M${LEFT} ${at(y(value))}H${WIDTH - RIGHT}" stroke="#ddd"/><text x="${LEFT - 6}" y="${at(y(value) + 4)}" text-anchor="end">${Number((log ? 10 ** value : value).toPrecision(digits))}</text>`;
  });
  const steps = [x0, x1].map(
    (step) => `<text x="${at(x(step))}" y="${HEIGHT - 8}" text-anchor="middle">${inHtml(label(step))}</text>`,
  );
  const lines = drawn.map(({ name, points: of }, i) => {
    if (of.length === 0) return '';
    const colour = COLOURS[i % COLOURS.length];
    const path = of
      .map(([step, value], p) => `${p === 0 ? 'M' : 'L'}${at(x(step))} ${at(y(value))}`)
      .join('');
    const dash = DASHES[Math.floor(i / 2) % DASHES.length];
    const stroke = `stroke="${colour}" stroke-width="2"${dash && ` stroke-dasharray="${dash}"`}`;
    const place = `x="${WIDTH - RIGHT + 10}" y="${TOP + 14 + 18 * i}"`;
    return `<path d="${path}" fill="none" ${stroke}/><text ${place} fill="${colour}">${inHtml(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${Math.max(HEIGHT, TOP + 20 + 18 * curves.length)}" width="${WIDTH}" font-family="sans-serif" font-size="12" fill="#444"><rect width="100%" height="100%" fill="#fff"/>${grid.join('')}${steps.join('')}${lines.join('')}</svg>`;
}

/** For an image in Markdown. */
export function svgDataUri(svg: string): string {
  return `data:image/svg+xml,${encodeURIComponent(svg).replace(/[()']/g, (character) => `%${character.charCodeAt(0).toString(16)}`)}`;
}

/** Significant digits by which the five values of an axis differ. */
function tickDigits(low: number, high: number): number {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  return Math.min(12, Math.max(3, Math.ceil(Math.log10(largest / ((high - low) / 4))) + 1));
}

function range(values: readonly number[]): [number, number] {
  const [low, high] = values.reduce(
    ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
    [Infinity, -Infinity],
  );
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function at(value: number): string {
  return value.toFixed(1);
}
