/** A GPU's measured speed as a table to pass on. */
import type { GpuSpeed } from '../../worker/trainer/trainerProtocol.ts';

/**
 * A Markdown table of one row a level, as docs/gpus.md collects them.
 * @param program what ran it, such as the browser's name and version
 */
export function speedMarkdown({ adapter, rows }: GpuSpeed, program: string): string {
  const models = [...new Set(rows.map(({ model }) => model))];
  const lines = [...new Set(rows.map(({ level }) => level))].map((level) => {
    const of = (model: string) => rows.find((row) => row.level === level && row.model === model)!;
    const speeds = models.map((model) => {
      const { tokensPerSecond, bytes, reason } = of(model);
      return tokensPerSecond === null
        ? cell(reason!)
        : `${Math.round(tokensPerSecond).toLocaleString('en')}, ${(bytes! / 2 ** 30).toFixed(2)} GiB`;
    });
    return `| ${[cell(adapter), cell(program), level, ...speeds].join(' | ')} |`;
  });
  return [
    `| ${['adapter', 'browser', 'level', ...models].join(' | ')} |`,
    `|${'---|'.repeat(3 + models.length)}`,
    ...lines,
  ].join('\n');
}

/** Text for a cell of a Markdown table: on one line, without bars. */
function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|');
}
