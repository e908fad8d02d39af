/** What a run is handed out as: the PEFT folder, and all that is kept of it as one folder. */
import { baseModelName } from '../../lib/modelNames.ts';
import { writePeftFolder, type PeftSettings } from '../../formats/peft.ts';
import { exportedTokenizerTexts } from '../../export/exportedTokenizer.ts';
import { adapterCard } from '../../export/adapterCard.ts';
import { reportHtml } from '../../export/reportHtml.ts';
import { EVENTS_FILE, tensorboardEvents } from '../../export/tensorboard.ts';
import type { AdapterTensors } from '../../engine/engine.ts';
import { metricsToJsonl, type MetricsLine } from '../../training/metrics.ts';
import { recipeToJson, type Recipe } from '../../training/recipe.ts';
import type { RunDetails, RunSummary } from './historyProtocol.ts';

export interface AdapterOfRun {
  recipe: Recipe;
  modelName: string;
  adapter: AdapterTensors;
  adapterStep: number;
  totalSteps: number;
  lines: MetricsLine[];
}

/** @param texts tokenizer files of the base model, copied along */
export function adapterFolder(
  run: AdapterOfRun,
  texts: Readonly<Record<string, string>>,
): Map<string, Uint8Array> {
  const { recipe, modelName } = run;
  return writePeftFolder(
    run.adapter,
    peftSettingsOf(recipe, modelName),
    exportedTokenizerTexts(texts),
    adapterCard(recipe, baseModelName(recipe.model, modelName), run),
  );
}

/** A run's LoRA settings as PEFT has them, with the name of its base model. */
export function peftSettingsOf({ lora, model }: Recipe, modelName: string): PeftSettings {
  return { ...lora, base_model_name_or_path: baseModelName(model, modelName) };
}

/** Everything of a run by path. @param adapter the PEFT folder; null where the run kept none */
export function runFolder(
  { recipe, notes }: RunSummary,
  { lines, evaluations, votes, report, sampled }: RunDetails,
  adapter: ReadonlyMap<string, Uint8Array> | null,
): Map<string, Uint8Array> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const files = new Map<string, Uint8Array>(
    [...(adapter ?? [])].map(([name, bytes]) => [`adapter/${name}`, bytes]),
  );
  files.set('metrics.jsonl', encode(metricsToJsonl(lines)));
  files.set('recipe.json', encode(recipeToJson(recipe)));
  if (report !== null) {
    files.set('report.md', encode(report));
    files.set('report.html', encode(reportHtml(report)));
  }
  files.set(`tensorboard/${EVENTS_FILE}`, tensorboardEvents(lines));
  const answers = evaluations.flatMap(({ name, step, result }) =>
    result.answers.map((answer) => ({ set: name, step, ...answer })),
  );
  if (answers.length > 0)
    files.set('answers.jsonl', encode(answers.map((answer) => `${JSON.stringify(answer)}\n`).join('')));
  const rewarded = sampled.flatMap(({ step, groups }) => groups.map((group) => ({ step, ...group })));
  if (rewarded.length > 0)
    files.set('sampled.jsonl', encode(rewarded.map((group) => `${JSON.stringify(group)}\n`).join('')));
  if (votes.length > 0) files.set('votes.json', encode(`${JSON.stringify(votes, null, 2)}\n`));
  if (notes !== '') files.set('notes.txt', encode(notes));
  return files;
}
