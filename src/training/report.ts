/** report.md of a run: what was trained on what, where it ran, and what came out. A pure function of data. */
import type { DatasetSummary } from '../data/documents.ts';
import type { MemoryReport } from './engine.ts';
import { bestSteps, curve, METRICS, type MetricsLine } from './metrics.ts';
import { recipeToJson, type Recipe } from './recipe.ts';
import type { RunResult } from './trainer.ts';

interface FileInRun {
  file: string;
  summary: DatasetSummary;
  /** Its rows that are also in another file. */
  leaks: readonly { file: string; rows: number }[];
}

export interface ReportInputs {
  recipe: Recipe;
  modelName: string;
  device: string;
  memory: MemoryReport;
  training: FileInRun;
  /** `failure`: why it was not evaluated to the end. `restarted`: why its worker was started anew. */
  validation: (FileInRun & { name: string; failure: string | null; restarted: string | null })[];
  result: Pick<RunResult, 'reason' | 'message' | 'steps' | 'totalSteps' | 'adapterStep' | 'lines' | 'seconds'>;
}

export function writeReport({ recipe, modelName, device, memory, training, validation, result }: ReportInputs): string {
  const rates = curve(result.lines, 'tokens_per_second').values;
  const rate = rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)];
  const losses = [{ name: 'training', values: curve(result.lines, 'loss') }, ...validation.map(({ name }) => ({ name, values: curve(result.lines, `eval_${name}_loss`) }))];
  const data = [{ ...training, name: 'training' }, ...validation];
  return `# Run report

${modelName}, ${result.steps} of ${result.totalSteps} steps (${result.reason}${result.message ? `: ${result.message}` : ''}), ${result.seconds.toFixed(1)} s, adapter of step ${result.adapterStep}.

- Device: ${device}
- Speed: ${rate === undefined ? 'not measured' : `${rate.toFixed(0)} tokens/s (median step)`}
- Memory: ${Object.entries(memory)
    .map(([part, bytes]) => `${part} ${(bytes / 2 ** 20).toFixed(1)} MiB`)
    .join(', ')}

## Losses

| set | start | best (step) | end |
|---|---|---|---|
${losses.map(({ name, values }) => lossRow(name, values)).join('\n')}
${validation
  .filter(({ failure }) => failure !== null)
  .map(({ name, failure }) => `\n${name} could not be evaluated: ${failure}\n`)
  .join('')}${validation.flatMap(({ name, restarted }) => (restarted === null ? [] : `\nThe worker of ${name} ended (${restarted}) and was started again.\n`)).join('')}
${metricTable(result.lines, validation)}## Data

| set | file | rows | tokens | supervised | longest | truncated rows | truncated tokens | duplicate rows | rows left out |
|---|---|---|---|---|---|---|---|---|---|
${data.map(({ name, file, summary: s }) => `| ${name} | ${file} | ${s.rows} | ${s.tokens} | ${s.supervisedTokens} | ${s.longest} | ${s.truncatedRows} | ${s.truncatedTokens} | ${s.duplicates} | ${s.problems} |`).join('\n')}
${validation.flatMap(leakLines).join('')}
## Recipe

\`\`\`json
${recipeToJson(recipe).trim()}
\`\`\`

## Use

\`\`\`python
from peft import PeftModel
from transformers import AutoModelForCausalLM
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("THE BASE MODEL"), "adapter")
\`\`\`
`;
}

function lossRow(name: string, { steps, values }: { steps: number[]; values: number[] }): string {
  if (values.length === 0) return `| ${name} | | | |`;
  const best = values.indexOf(Math.min(...values));
  return `| ${name} | ${values[0].toFixed(4)} | ${values[best].toFixed(4)} (${steps[best]}) | ${values.at(-1)!.toFixed(4)} |`;
}

/** Rows of a validation file that the adapter was trained on: its figures are too good by them. */
function leakLines({ file, summary, leaks }: FileInRun): string[] {
  return leaks.map((leak) => `\n${leak.rows} of the ${summary.rows} rows of ${file} (${((100 * leak.rows) / summary.rows).toFixed(1)} %) are also in ${leak.file}.\n`);
}

/** Every other figure of each validation file: at the start, at its best, at the end. */
function metricTable(lines: readonly MetricsLine[], validation: ReportInputs['validation']): string {
  const names = validation.map(({ name }) => name);
  const rows = bestSteps(lines, names).filter(({ metric }) => metric !== 'loss');
  if (rows.length === 0) return '';
  const order = Object.keys(METRICS);
  rows.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name) || order.indexOf(a.metric) - order.indexOf(b.metric));
  const digits = (value: number) => Number(value.toPrecision(5));
  const body = rows.map(({ name, metric, value, step }) => {
    const { values } = curve(lines, `eval_${name}_${metric}`);
    return `| ${name} | ${metric} | ${digits(values[0])} | ${digits(value)} (${step}) | ${digits(values.at(-1)!)} |`;
  });
  return `## Metrics\n\n| set | metric | start | best (step) | end |\n|---|---|---|---|---|\n${body.join('\n')}\n\n`;
}
