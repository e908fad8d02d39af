/** Tables of the run report, in Markdown: losses, metrics, data files and answers. */
import { meanReward, type SampledStep } from '../training/reward/keptAnswers.ts';
import type { DatasetSummary } from '../data/documents.ts';
import { smallest } from '../lib/extremes.ts';
import type { EvaluationResult } from '../training/evaluation.ts';
import { bestSteps, curve, METRICS, type MetricsLine } from '../training/metrics.ts';
import { inMarkdown } from './escape.ts';
import type { SvgCurve } from './svgChart.ts';

export interface FileInRun {
  file: string;
  summary: DatasetSummary;
  /** SHA-256 of each file's bytes, hex. */
  parts: readonly { file: string; sha256: string }[];
  /** Its rows that are also in another file. */
  leaks: readonly { file: string; rows: number }[];
  /** Rows that the recipe leaves out. */
  leftOut: number;
}

export interface NamedEvaluation {
  /** Of its validation set. */
  name: string;
  step: number;
  result: EvaluationResult;
}

/** Columns of the table of data files. */
const DATA_COLUMNS: readonly (readonly [string, (data: FileInRun & { name: string }) => string | number])[] =
  [
    ['set', ({ name }) => inMarkdown(name)],
    ['file', ({ file }) => inMarkdown(file)],
    ['rows', ({ summary }) => summary.rows],
    ['tokens', ({ summary }) => summary.tokens],
    ['supervised', ({ summary }) => summary.supervisedTokens],
    ['longest', ({ summary }) => summary.longest],
    ['truncated rows', ({ summary }) => summary.truncatedRows],
    ['truncated tokens', ({ summary }) => summary.truncatedTokens],
    ['duplicate rows', ({ summary }) => summary.duplicates],
    ['rows refused', ({ summary }) => summary.problems],
    ['rows left out by the recipe', ({ leftOut }) => leftOut],
  ];

/** How long each file's rows are, and what was left out of it. */
export function dataTable(files: readonly (FileInRun & { name: string })[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [
    line(DATA_COLUMNS.map(([heading]) => heading)),
    `|${'---|'.repeat(DATA_COLUMNS.length)}`,
    ...files.map((data) => line(DATA_COLUMNS.map(([, cell]) => cell(data)))),
  ].join('\n');
}

/** Loss of a set at the start, at its best and at the end. */
export function lossRow({ name, steps, values }: SvgCurve): string {
  if (values.length === 0) return `| ${inMarkdown(name)} | | | |`;
  const best = values.indexOf(smallest(values));
  return `| ${inMarkdown(name)} | ${values[0].toFixed(4)} | ${values[best].toFixed(4)} (${steps[best]}) | ${values.at(-1)!.toFixed(4)} |`;
}

/** Rows of a validation file that the adapter was also trained on: they make its figures look too good. */
export function leakLines({ file, summary, leaks }: FileInRun): string[] {
  return leaks.map(
    (leak) =>
      `\n${leak.rows} of the ${summary.rows} rows of ${inMarkdown(file)} (${((100 * leak.rows) / summary.rows).toFixed(1)} %) are also in ${inMarkdown(leak.file)}.\n`,
  );
}

/**
 * Every other figure of each validation file: at the start, at its best, at the end.
 * @param own names of the recipe's own metrics
 */
export function metricTable(
  lines: readonly MetricsLine[],
  validation: readonly { name: string }[],
  own: readonly string[] = [],
): string {
  const names = validation.map(({ name }) => name);
  const rows = bestSteps(lines, names, own).filter(({ metric }) => metric !== 'loss');
  if (rows.length === 0) return '';
  const order = [...Object.keys(METRICS), ...own];
  rows.sort(
    (a, b) =>
      names.indexOf(a.name) - names.indexOf(b.name) || order.indexOf(a.metric) - order.indexOf(b.metric),
  );
  const digits = (value: number) => Number(value.toPrecision(5));
  const body = rows.map(({ name, metric, value, step }) => {
    const { values } = curve(lines, `eval_${name}_${metric}`);
    return `| ${inMarkdown(name)} | ${metric} | ${digits(values[0])} | ${digits(value)} (${step}) | ${digits(values.at(-1)!)} |`;
  });
  return `## Metrics\n\n| set | metric | start | best (step) | end |\n|---|---|---|---|---|\n${body.join('\n')}\n\n`;
}

/** What was asked in each evaluation, and what the model said. */
export function answerTables(evaluations: readonly NamedEvaluation[]): string {
  const written = evaluations.filter(({ result }) => result.answers.length > 0);
  if (written.length === 0) return '';
  const sections = written.map(({ name, step, result }) => {
    const rows = result.answers.map(
      ({ line, prompt, reference, answer }) =>
        `| ${line} | ${cell(prompt)} | ${cell(reference)} | ${cell(answer)} |`,
    );
    return `### ${inMarkdown(name)}, step ${step}\n\n| line | question | reference | answer |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `\n## Answers\n\n${sections.join('\n')}`;
}

/** Steps of grpo whose answers the report shows: the first, the last, and others between. */
const REPORTED_STEPS = 4;
/** Of a step. */
const REPORTED_PROMPTS = 2;

/** Answers that steps of grpo were made with, and their rewards. */
export function sampledTables(sampled: readonly SampledStep[]): string {
  if (sampled.length === 0) return '';
  const last = sampled.length - 1;
  const shown = new Set(
    Array.from({ length: REPORTED_STEPS }, (_, i) => Math.round((i * last) / (REPORTED_STEPS - 1))),
  );
  const sections = [...shown].map((at) => {
    const { step, groups } = sampled[at];
    const rows = groups
      .slice(0, REPORTED_PROMPTS)
      .flatMap(({ line, prompt, reference, answers }) =>
        answers.map(
          ({ text, reward, advantage }) =>
            `| ${line} | ${cell(prompt)} | ${cell(reference ?? '')} | ${cell(text)} | ${reward ?? '–'} | ${advantage.toFixed(3)} |`,
        ),
      );
    return `### Step ${step}, mean reward ${meanReward(sampled[at]).toFixed(3)}\n\n| line | prompt | reference | answer | reward | advantage |\n|---|---|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `\n## Sampled answers\n\n${sections.join('\n')}`;
}

/** Text for a cell of a table, escaped so that it is never markup. */
function cell(text: string): string {
  return text
    .replace(/[\\`*_[\]|~#!]/g, '\\$&')
    .replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/\r?\n/g, '<br>');
}
