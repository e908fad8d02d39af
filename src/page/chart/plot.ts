/** uPlot's options for a chart of the page. */
import { exponential, significant } from '../language/numbers.ts';
import uPlot from 'uplot';
import type { Numbers } from '../../training/metrics.ts';
import type { Mark, Series } from './chartTypes.ts';

/** What decides how a chart is built; new values only redraw it. */
export interface PlotShape {
  series: Pick<Series, 'colour' | 'dash' | 'faint' | 'strong'>[];
  /** CSS pixels, at a font size of 16 px. */
  height: number;
  log: boolean;
}

export interface PlotHost {
  element: HTMLElement;
  /** Whether the page is dark: colours of a theme are computed once. */
  dark: boolean;
  /** What it shows at first. */
  data: uPlot.AlignedData;
  marks: () => readonly Mark[];
  /** The person points at a step; null: at none any more. */
  onCursor: (step: number | null) => void;
}

/** A custom property as a computed colour: uPlot draws on a canvas, which knows no custom properties. */
export function computedColour(element: HTMLElement, property: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${property})`;
  element.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

const COLOURS = { light: new Map<string, string>(), dark: new Map<string, string>() };

/** The same, once for each theme: to compute one makes the browser style whatever has changed. */
function themeColour(element: HTMLElement, dark: boolean, property: string): string {
  const colours = COLOURS[dark ? 'dark' : 'light'];
  const value = colours.get(property) ?? computedColour(element, property);
  colours.set(property, value);
  return value;
}

/** Device pixels of one of design.css's at 16 px a rem. */
function fontScale(): number {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

export function makePlot(
  { series, height, log }: PlotShape,
  { element, dark, data, marks, onCursor }: PlotHost,
): uPlot {
  const size = fontScale();
  const colour = (property: string) => themeColour(element, dark, property);
  const axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line') },
    font: `${12 * size}px system-ui`,
  };
  let isPointedAt = false;
  const drawMarks = (plot: uPlot) => {
    for (const mark of marks()) drawMark(plot, mark, colour(mark.colour));
    drawLabels(plot, marks(), colour);
  };
  return new uPlot(
    {
      width: Math.max(1, element.clientWidth),
      height: height * size,
      cursor: { y: false, drag: { x: false, y: false } },
      legend: { show: false },
      scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
      axes: [
        { ...axis, size: 30 * size, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
        { ...axis, size: 58 * size, values: (_, ticks) => ticks.map(tickText) },
      ],
      series: [
        {},
        ...series.map(({ colour: name, faint, strong, dash }) => ({
          stroke: faint ? colour('--strong-line') : colour(name),
          alpha: faint ? 0.75 : 1,
          width: faint ? 1 : (strong ? 4 : 2) * size,
          dash: dash ? [...dash] : undefined,
          spanGaps: true,
          points: {
            show: (_: uPlot, __: number, first: number, last: number) => !faint && last - first < 40,
            size: 5 * size,
          },
        })),
      ],
      hooks: {
        draw: [drawMarks],
        // New values set the cursor too: only the chart under the pointer reports its step.
        setCursor: [
          ({ cursor, data, over }) => {
            const isUnder = over.matches(':hover') && cursor.idx != null;
            if (isUnder) onCursor(data[0][cursor.idx!] ?? null);
            else if (isPointedAt) onCursor(null);
            isPointedAt = isUnder;
          },
        ],
      },
    },
    data,
    element,
  );
}

/** Fits a chart to its element. */
export function resizePlot(plot: uPlot, element: HTMLElement, height: number): void {
  if (element.clientWidth > 0) plot.setSize({ width: element.clientWidth, height: height * fontScale() });
}

/** Points the cursor at a step without a report of it; null takes it away. */
export function pointAt(plot: uPlot, step: number | null): void {
  const steps = plot.data[0];
  if (step === null || steps.length === 0 || step < steps[0] || step > steps.at(-1)!)
    plot.setCursor({ left: -10, top: -10 }, false);
  else plot.setCursor({ left: plot.valToPos(step, 'x'), top: 0 }, false);
}

/** Arrays of floats are drawn as they are, without a copy for each chart. */
function drawn(numbers: Numbers): number[] | Float64Array<ArrayBuffer> {
  return numbers instanceof Float64Array ? (numbers as Float64Array<ArrayBuffer>) : [...numbers];
}

/** Curves over one axis of steps. On a logarithmic scale what is not positive is left out. */
export function alignedData(series: readonly Series[], log: boolean): uPlot.AlignedData {
  const values = series.map((one) =>
    log ? Array.from(one.values, (value) => (value > 0 ? value : null)) : drawn(one.values),
  );
  const [first] = series;
  if (first === undefined) return [[]];
  if (series.every(({ steps }) => steps === first.steps)) return [drawn(first.steps), ...values];
  return uPlot.join(series.map(({ steps }, i) => [drawn(steps), values[i]] as uPlot.AlignedData));
}

function tickText(tick: number | null): string {
  if (tick === null) return '';
  return tick !== 0 && Math.abs(tick) < 1e-3 ? exponential(tick, 0) : significant(tick, 6);
}

function drawMark({ ctx, bbox, valToPos }: uPlot, { step, kind }: Mark, colour: string): void {
  const x = valToPos(step, 'x', true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  const unit = devicePixelRatio;
  const foot = bbox.top + bbox.height;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.beginPath();
  if (kind === 'tick') {
    ctx.moveTo(x, foot - 6 * unit);
    ctx.lineTo(x - 3 * unit, foot);
    ctx.lineTo(x + 3 * unit, foot);
    ctx.fill();
  } else {
    ctx.lineWidth = unit;
    ctx.setLineDash([3 * unit, 3 * unit]);
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, foot);
    ctx.stroke();
  }
  ctx.restore();
}

/** The labels of lines, the last mark's first: each where no other is yet, or nowhere. */
function drawLabels(
  { ctx, bbox, valToPos }: uPlot,
  marks: readonly Mark[],
  colour: (name: string) => string,
): void {
  const unit = devicePixelRatio;
  const gap = 4 * unit;
  const taken: { from: number; to: number }[] = [];
  ctx.save();
  ctx.font = `600 ${11 * unit}px system-ui`;
  ctx.textAlign = 'left';
  for (const { step, label, kind, colour: name } of marks.toReversed()) {
    const x = valToPos(step, 'x', true);
    if (kind === 'tick' || x < bbox.left || x > bbox.left + bbox.width) continue;
    const { width } = ctx.measureText(label);
    const isFree = (from: number) =>
      from >= bbox.left &&
      from + width <= bbox.left + bbox.width &&
      taken.every((other) => from + width + gap <= other.from || other.to + gap <= from);
    const from = [x + gap, x - gap - width].find(isFree);
    if (from === undefined) continue;
    taken.push({ from, to: from + width });
    ctx.fillStyle = colour(name);
    ctx.fillText(label, from, bbox.top + 11 * unit);
  }
  ctx.restore();
}
