/**
 * report.md of a run, in one file: the model, data and device, their hashes, the losses, and every network
 * request of the page.
 */
import type { DatasetSummary } from '../data/documents.ts';
import { entriesToText, type ErrorEntry } from '../lib/errorLog.ts';
import type { RequestMade } from '../lib/requests.ts';
import type { MemoryReport } from '../engine/engine.ts';
import type { EvaluationResult } from '../training/evaluation.ts';
import { lossTrend, forgettingText } from '../training/forgetting.ts';
import { kernelText } from '../training/kernelRequest.ts';
import type { KernelChoice } from '../tuning/kernelChoice.ts';
import { bestSteps, curve, METRICS, type MetricsLine } from '../training/metrics.ts';
import { smallest } from '../lib/extremes.ts';
import { recipeToJson, type Recipe } from '../training/recipe.ts';
import { svgChart, svgDataUri, type SvgCurve } from './svgChart.ts';
import type { RunResult } from '../training/runRecord.ts';

interface FileInRun {
  file: string;
  summary: DatasetSummary;
  /** SHA-256 of the file's bytes, hex. */
  sha256: string;
  /** Its rows that are also in another file. */
  leaks: readonly { file: string; rows: number }[];
}

export interface ReportInputs {
  recipe: Recipe;
  modelName: string;
  /** Source files, and SHA-256 over the hashes of all stored chunks in the order of their tensors. */
  model: { storedSha256: string; files: readonly { path: string; size: number; sha256: string }[] };
  /** Of adapter_model.safetensors. */
  adapter: { sha256: string; bytes: number };
  device: string;
  versions: { finetab: string; browser: string };
  /** Absent where TensorFlow.js ran. */
  kernels?: KernelChoice;
  memory: MemoryReport;
  training: FileInRun;
  /** `failure`: why it could not be evaluated any more. `restarted`: why its worker was started again. */
  validation: (FileInRun & { name: string; failure: string | null; restarted: string | null })[];
  /** Evaluations that generated answers. */
  evaluations: readonly { name: string; step: number; result: EvaluationResult }[];
  requests: readonly RequestMade[];
  /** Recorded by the page and its workers while the run went on. */
  errors: readonly ErrorEntry[];
  result: Pick<
    RunResult,
    'reason' | 'message' | 'steps' | 'totalSteps' | 'adapterStep' | 'lines' | 'seconds'
  >;
}

export function writeReport(inputs: ReportInputs): string {
  const { recipe, modelName, model, adapter, device, versions, memory, training, validation, result } =
    inputs;
  const rates = curve(result.lines, 'tokens_per_second').values;
  const rate = rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)];
  const trained = { name: 'training', ...curve(result.lines, 'loss') };
  const validated = validation.map(({ name }) => ({ name, ...curve(result.lines, `eval_${name}_loss`) }));
  const alarms = validation.flatMap(({ name }) => {
    const trend = lossTrend(result.lines, name, recipe.evaluation.forgetting_threshold);
    return (trend && forgettingText(trend)) ?? [];
  });
  const failures = validation
    .filter(({ failure }) => failure !== null)
    .map(({ name, failure }) => `${name} could not be evaluated: ${failure}`);
  const restarts = validation.flatMap(({ name, restarted }) =>
    restarted === null ? [] : `The worker of ${name} ended (${restarted}) and was started again.`,
  );
  const data = [{ ...training, name: 'training' }, ...validation];
  return `# Run report

${modelName}, ${result.steps} of ${result.totalSteps} steps (${result.reason}${result.message ? `: ${result.message}` : ''}), ${result.seconds.toFixed(1)} s, adapter of step ${result.adapterStep}.

- Device: ${device}
${inputs.kernels ? `- Kernels: ${kernelText(inputs.kernels)}\n` : ''}- Speed: ${rate === undefined ? 'not measured' : `${rate.toFixed(0)} tokens/s (median step)`}
- Memory: ${Object.entries(memory)
    .map(([part, bytes]) => `${part} ${(bytes / 2 ** 20).toFixed(1)} MiB`)
    .join(', ')}
- Finetab ${versions.finetab}, ${versions.browser}

## Losses

| set | start | best (step) | end |
|---|---|---|---|
${[trained, ...validated].map(lossRow).join('\n')}
${[...alarms, ...failures, ...restarts].map((text) => `\n${text}\n`).join('')}
${picture('Training loss', [trained])}
${picture('Validation loss', validated)}
${picture('Learning rate', [{ name: 'learning rate', ...curve(result.lines, 'learning_rate') }])}
${picture('Gradient norm', [{ name: 'gradient norm', ...curve(result.lines, 'grad_norm') }])}
${metricTable(result.lines, validation)}## Data

| set | file | rows | tokens | supervised | longest | truncated rows | truncated tokens | duplicate rows | rows left out |
|---|---|---|---|---|---|---|---|---|---|
${data.map(({ name, file, summary: s }) => `| ${name} | ${file} | ${s.rows} | ${s.tokens} | ${s.supervisedTokens} | ${s.longest} | ${s.truncatedRows} | ${s.truncatedTokens} | ${s.duplicates} | ${s.problems} |`).join('\n')}
${validation.flatMap(leakLines).join('')}
## Hashes

SHA-256. Of the model's source files: of sixteen samples spread over the file, with its size. "stored weights" is over the hashes of all stored pieces.

| what | bytes | SHA-256 |
|---|---|---|
| adapter_model.safetensors | ${adapter.bytes} | \`${adapter.sha256}\` |
${data.map(({ file, sha256 }) => `| ${file} | | \`${sha256}\` |`).join('\n')}
| stored weights of ${modelName} | | \`${model.storedSha256}\` |
${model.files.map(({ path, size, sha256 }) => `| ${path} (samples) | ${size} | \`${sha256}\` |`).join('\n')}
${answers(inputs.evaluations)}
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

## Errors

${errors(inputs.errors)}

## Network

Every request that the page and its workers made up to the end of the run, as the browser recorded them.

${network(inputs.requests)}
`;
}

function lossRow({ name, steps, values }: SvgCurve): string {
  if (values.length === 0) return `| ${name} | | | |`;
  const best = values.indexOf(smallest(values));
  return `| ${name} | ${values[0].toFixed(4)} | ${values[best].toFixed(4)} (${steps[best]}) | ${values.at(-1)!.toFixed(4)} |`;
}

/** Rows of a validation file that the adapter was also trained on: they make its figures look too good. */
function leakLines({ file, summary, leaks }: FileInRun): string[] {
  return leaks.map(
    (leak) =>
      `\n${leak.rows} of the ${summary.rows} rows of ${file} (${((100 * leak.rows) / summary.rows).toFixed(1)} %) are also in ${leak.file}.\n`,
  );
}

/** Every other figure of each validation file: at the start, at its best, at the end. */
function metricTable(lines: readonly MetricsLine[], validation: ReportInputs['validation']): string {
  const names = validation.map(({ name }) => name);
  const rows = bestSteps(lines, names).filter(({ metric }) => metric !== 'loss');
  if (rows.length === 0) return '';
  const order = Object.keys(METRICS);
  rows.sort(
    (a, b) =>
      names.indexOf(a.name) - names.indexOf(b.name) || order.indexOf(a.metric) - order.indexOf(b.metric),
  );
  const digits = (value: number) => Number(value.toPrecision(5));
  const body = rows.map(({ name, metric, value, step }) => {
    const { values } = curve(lines, `eval_${name}_${metric}`);
    return `| ${name} | ${metric} | ${digits(values[0])} | ${digits(value)} (${step}) | ${digits(values.at(-1)!)} |`;
  });
  return `## Metrics\n\n| set | metric | start | best (step) | end |\n|---|---|---|---|---|\n${body.join('\n')}\n\n`;
}

function picture(title: string, curves: readonly SvgCurve[]): string {
  const svg = svgChart(curves);
  return svg === '' ? '' : `${title}:\n\n![${title}](${svgDataUri(svg)})\n`;
}

function answers(evaluations: ReportInputs['evaluations']): string {
  const written = evaluations.filter(({ result }) => result.answers.length > 0);
  if (written.length === 0) return '';
  const sections = written.map(({ name, step, result }) => {
    const rows = result.answers.map(
      ({ line, prompt, reference, answer }) =>
        `| ${line} | ${cell(prompt)} | ${cell(reference)} | ${cell(answer)} |`,
    );
    return `### ${name}, step ${step}\n\n| line | question | reference | answer |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `\n## Answers\n\n${sections.join('\n')}`;
}

/** Text for a cell of a table, escaped so that it is never markup. */
function cell(text: string): string {
  return text
    .replace(/[\\`*_[\]|~#!]/g, '\\$&')
    .replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/\r?\n/g, '<br>');
}

/** With their stacks, as a block that nothing in them can close. */
function errors(entries: readonly ErrorEntry[]): string {
  if (entries.length === 0) return 'None was recorded while the run went on.';
  const text = entriesToText(entries);
  const longest = [...text.matchAll(/`+/g)].reduce((most, [ticks]) => Math.max(most, ticks.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

/** A table of addresses; requests to the same address are counted in one row. */
function network(requests: readonly RequestMade[]): string {
  const urls = new Map<string, { count: number; bytes: number; threads: Set<string> }>();
  for (const { url, bytes, thread } of requests) {
    const { origin, pathname } = new URL(url);
    const known = urls.get(origin + pathname) ?? { count: 0, bytes: 0, threads: new Set<string>() };
    known.count++;
    known.bytes += bytes;
    urls.set(origin + pathname, { ...known, threads: known.threads.add(thread) });
  }
  if (urls.size === 0) return 'None was recorded.';
  const rows = [...urls].map(
    ([url, { count, bytes, threads }]) => `| ${url} | ${count} | ${bytes} | ${[...threads].join(', ')} |`,
  );
  return `| address | requests | bytes | made by |\n|---|---|---|---|\n${rows.join('\n')}`;
}
