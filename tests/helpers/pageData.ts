/** What workers answer in tests of the page's state. */
import { parseRecipe, type Recipe, type RecipeInput } from '../../src/training/recipe.ts';
import type { FileReport } from '../../src/worker/dataset/datasetProtocol.ts';
import type { RunSummary } from '../../src/worker/history/historyProtocol.ts';
import type { ModelDetails } from '../../src/worker/import/importProtocol.ts';
import type { RunOutcome, RunPlan } from '../../src/worker/trainer/trainerProtocol.ts';

export const MODEL: ModelDetails = {
  id: 'model-1',
  name: 'tiny',
  quantization: 'nf4',
  complete: true,
  storedBytes: 1000,
  importedAt: '2026-01-01T00:00:00.000Z',
  licence: null,
  modelType: 'llama',
  parameters: 10,
  layers: 1,
  hiddenSize: 8,
  vocabularySize: 300,
  maxPositions: 512,
  unusedTensors: [],
  unusedDropout: [],
  unverified: [],
};

export function fileReport(file: string, rows = 3, more: Partial<FileReport> = {}): FileReport {
  const lengths = new Uint32Array(rows).fill(10);
  return {
    file,
    parts: [{ file, sha256: 'aa', format: 'query, response', columns: [] }],
    format: 'query, response',
    columns: [],
    unit: 'line',
    summary: {
      rows,
      tokens: 10 * rows,
      supervisedTokens: 5 * rows,
      longest: rows > 0 ? 10 : 0,
      truncatedRows: 0,
      truncatedTokens: 0,
      duplicates: 0,
      problems: 0,
      badRows: 0,
    },
    problems: [],
    lengths,
    histogram: { binTokens: 1, counts: [] },
    repeats: { examples: [] },
    findings: {
      longest: [],
      cut: [],
      empty: { rows: [], count: 0 },
      foreign: { rows: [], count: 0, usual: null },
    },
    leftOut: { rows: [], count: 0 },
    padTokenId: 0,
    padToken: '<pad>',
    notes: [],
    mask: { withoutEnd: 0, firstWithoutEnd: null, padIsEnd: false },
    ...more,
  } as FileReport;
}

export function runPlan(more: Partial<RunPlan> = {}): RunPlan {
  return {
    memory: { weights: 1, adapter: 1, optimizer: 1, activations: 1, kvCache: 0, batch: 1, total: 5 },
    tokensPerMicroBatch: 64,
    totalSteps: 8,
    device: 'a GPU',
    isFallback: false,
    ...more,
  };
}

export function runSummary(more: Partial<RunSummary> = {}): RunSummary {
  return {
    id: 'run-1',
    startedAt: '2026-01-01T00:00:00.000Z',
    state: 'finished',
    message: null,
    name: '',
    notes: '',
    modelId: MODEL.id,
    modelName: 'tiny',
    trainFile: 'train.jsonl',
    recipe: parseRecipe({}),
    tokensPerMicroBatch: 64,
    step: 8,
    totalSteps: 8,
    adapterStep: 8,
    seconds: 1,
    device: 'a GPU',
    startedFrom: null,
    losses: {},
    adapterBytes: 10,
    live: false,
    resumableStep: null,
    storedBytes: 10,
    ...more,
  };
}

export function recipe(input: RecipeInput = {}): Recipe {
  return parseRecipe(input);
}

export function runOutcome(more: Partial<RunOutcome> = {}): RunOutcome {
  return {
    runId: 'run-1',
    notKept: null,
    reason: 'finished',
    message: null,
    steps: 8,
    totalSteps: 8,
    adapterStep: 8,
    seconds: 1,
    losses: {},
    adapter: new Map(),
    metricsJsonl: '',
    recipeJson: JSON.stringify(parseRecipe({})),
    report: '',
    ...more,
  };
}
