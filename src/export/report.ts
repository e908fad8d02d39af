/**
 * report.md of a run, in one file: the model, data and device, their hashes, the losses, and every network
 * request of the page.
 */
import { Q8_0_BOUND } from '../engine/headDtype.ts';
import { entriesToText, type ErrorEntry } from '../lib/errorLog.ts';
import type { RequestMade } from '../lib/requests.ts';
import type { MemoryReport } from '../engine/engine.ts';
import { lossTrend, forgettingText } from '../training/forgetting.ts';
import { kernelText } from '../training/kernelRequest.ts';
import type { KernelChoice } from '../tuning/kernelChoice.ts';
import { curve } from '../training/metrics.ts';
import { recipeToJson, type Recipe } from '../training/recipe.ts';
import { nameOf } from '../training/recipe/scoringRecipe.ts';
import { inMarkdown } from './escape.ts';
import {
  answerTables,
  dataTable,
  leakLines,
  lossRow,
  metricTable,
  sampledTables,
  type FileInRun,
  type NamedEvaluation,
} from './reportTables.ts';
import { svgChart, svgDataUri, type SvgCurve } from './svgChart.ts';
import type { SampledStep } from '../training/reward/keptAnswers.ts';
import type { RunResult } from '../training/runRecord.ts';

const HASHED =
  "SHA-256. Of the model's source files: of sixteen samples spread over the file, with its size. " +
  '"stored weights" is over the hashes of all stored pieces.';

const HEAD_IN_Q8_0 =
  `Output head: in 8 bits (Q8_0), ${Q8_0_BOUND} of 32. ` +
  'The losses above and the adapter are of this head; the stored model has its own.';

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
  /** Whether the output head lay in 8 bits though the model has more. */
  headInQ8_0?: boolean;
  training: FileInRun;
  /** `failure`: why it could not be evaluated any more. `restarted`: why its worker was started again. */
  validation: (FileInRun & { name: string; failure: string | null; restarted: string | null })[];
  /** Evaluations that generated answers. */
  evaluations: readonly NamedEvaluation[];
  /** Of grpo: answers that steps were made with. */
  sampled?: readonly SampledStep[];
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
    return trend ? inMarkdown(forgettingText(trend) ?? '') || [] : [];
  });
  const failures = validation
    .filter(({ failure }) => failure !== null)
    .map(({ name, failure }) => inMarkdown(`${name} could not be evaluated: ${failure}`));
  const restarts = validation.flatMap(({ name, restarted }) =>
    restarted === null ? [] : inMarkdown(`The worker of ${name} ended (${restarted}) and was started again.`),
  );
  const data = [{ ...training, name: 'training' }, ...validation];
  const ended = [
    inMarkdown(modelName),
    `${result.steps} of ${result.totalSteps} steps (${result.reason}${result.message ? `: ${inMarkdown(result.message)}` : ''})`,
    `${result.seconds.toFixed(1)} s`,
    `adapter of step ${result.adapterStep}`,
  ].join(', ');
  const speed = rate === undefined ? 'not measured' : `${rate.toFixed(0)} tokens/s (median step)`;
  const learningRates = [{ name: 'learning rate', ...curve(result.lines, 'learning_rate') }];
  const rewards = picture('Rewards', [
    { name: 'mean of the sampled answers', ...curve(result.lines, 'reward') },
    { name: 'chosen', ...curve(result.lines, 'rewards/chosen') },
    { name: 'rejected', ...curve(result.lines, 'rewards/rejected') },
  ]);
  return `# Run report

${ended}.

- Device: ${inMarkdown(device)}
${inputs.kernels ? `- Kernels: ${kernelText(inputs.kernels)}\n` : ''}- Speed: ${speed}
- Memory: ${Object.entries(memory)
    .map(([part, bytes]) => `${part} ${(bytes / 2 ** 20).toFixed(1)} MiB`)
    .join(', ')}
${inputs.headInQ8_0 ? `- ${HEAD_IN_Q8_0}\n` : ''}- Finetab ${versions.finetab}, ${inMarkdown(versions.browser)}

## Losses

| set | start | best (step) | end |
|---|---|---|---|
${[trained, ...validated].map(lossRow).join('\n')}
${[...alarms, ...failures, ...restarts].map((text) => `\n${text}\n`).join('')}
${picture('Training loss', [trained])}
${picture('Validation loss', validated)}
${rewards && `${rewards}\n`}${picture('Learning rate', learningRates)}
${picture('Gradient norm', [{ name: 'gradient norm', ...curve(result.lines, 'grad_norm') }])}
${metricTable(result.lines, validation, recipe.metrics.map(nameOf))}## Data

${dataTable(data)}
${validation.flatMap(leakLines).join('')}
## Hashes

${HASHED}

| what | bytes | SHA-256 |
|---|---|---|
| adapter_model.safetensors | ${adapter.bytes} | \`${adapter.sha256}\` |
${hashes(data)}
| stored weights of ${inMarkdown(modelName)} | | \`${model.storedSha256}\` |
${model.files.map(({ path, size, sha256 }) => `| ${inMarkdown(path)} (samples) | ${size} | \`${sha256}\` |`).join('\n')}
${answerTables(inputs.evaluations)}${sampledTables(inputs.sampled ?? [])}
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

/** One line a file, however many sets are made of it. */
function hashes(data: readonly FileInRun[]): string {
  const lines = data.flatMap(({ parts }) =>
    parts.map(({ file, sha256 }) => `| ${inMarkdown(file)} | | \`${sha256}\` |`),
  );
  return [...new Set(lines)].join('\n');
}

function picture(title: string, curves: readonly SvgCurve[]): string {
  const svg = svgChart(curves);
  return svg === '' ? '' : `${title}:\n\n![${title}](${svgDataUri(svg)})\n`;
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
    ([url, { count, bytes, threads }]) =>
      `| ${url.replace(/[|`<>[\]]/g, encodeURIComponent)} | ${count} | ${bytes} | ${inMarkdown([...threads].join(', '))} |`,
  );
  return `| address | requests | bytes | made by |\n|---|---|---|---|\n${rows.join('\n')}`;
}
