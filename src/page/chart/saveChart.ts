/** A chart as a picture, as a drawing and as a table. */
import { svgChart } from '../../export/svgChart.ts';
import { save } from '../layout/saveFile.ts';
import type { Series } from './chartTypes.ts';
import { curvesCsv } from './curvesCsv.ts';
import { computedColour } from './plot.ts';

/** The canvas of a chart on its ground, with its title. */
export function savePicture(source: HTMLCanvasElement, host: HTMLElement, title: string, text: string): void {
  const unit = devicePixelRatio;
  const band = 28 * unit;
  const picture = document.createElement('canvas');
  picture.width = source.width;
  picture.height = source.height + band;
  const context = picture.getContext('2d')!;
  context.fillStyle = computedColour(host, '--panel');
  context.fillRect(0, 0, picture.width, picture.height);
  context.fillStyle = computedColour(host, '--ink');
  context.font = `600 ${14 * unit}px system-ui`;
  context.fillText([title, text].filter(Boolean).join(': '), 10 * unit, 19 * unit);
  context.drawImage(source, 0, band);
  picture.toBlob(
    (blob) =>
      void blob!.arrayBuffer().then((bytes) => save(`${title}.png`, new Uint8Array(bytes), 'image/png')),
    'image/png',
  );
}

export function saveDrawing(title: string, series: readonly Series[], log: boolean): void {
  const curves = series.map(({ name, steps, values }) => ({ name, steps: [...steps], values: [...values] }));
  save(`${title}.svg`, svgChart(curves, { log }), 'image/svg+xml');
}

export function saveTable(title: string, series: readonly Series[]): void {
  save(`${title}.csv`, curvesCsv(series), 'text/csv');
}
