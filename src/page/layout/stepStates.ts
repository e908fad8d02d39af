/** The state of each of the five steps, in words. All is derived from the workspace. */
import type { ModelDetails, ModelSummary } from '../../worker/import/importProtocol.ts';
import type { RunPlan } from '../../worker/trainer/trainerProtocol.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';
import type { Result } from '../result/Result.svelte.ts';
import { endText, type RunView } from '../run/RunView.svelte.ts';
import { bytes, duration, integer, WEIGHTS } from '../text.ts';
import { STEP_IDS, type StepId } from './places.ts';

/** needed: the person has to do something. waiting: an earlier step comes first. */
export type StepStatus = 'done' | 'needed' | 'working' | 'waiting' | 'problem';

export interface StepState {
  id: StepId;
  number: number;
  title: string;
  status: StepStatus;
  /** The state in words. */
  text: string;
}

const TITLES: Record<StepId, string> = {
  model: 'Model',
  data: 'Data',
  recipe: 'Recipe',
  run: 'Run',
  result: 'Result',
};

/** What the steps are derived from. */
export interface FlowSource {
  readonly model: ModelDetails | null;
  readonly models: ModelSummary[];
  readonly importing: { name: string; done: number; total: number } | null;
  readonly data: DataFiles;
  readonly recipeError: string | null;
  readonly presetName: string;
  readonly plan: RunPlan | null;
  readonly run: RunView | null;
  readonly result: Result | null;
  readonly blockers: string[];
  readonly busy: boolean;
}

type StatusText = [status: StepStatus, text: string];

export class StepStates {
  constructor(private readonly workspace: FlowSource) {}

  get all(): StepState[] {
    return STEP_IDS.map((id) => this.of(id));
  }

  of(id: StepId): StepState {
    const [status, text] = this.statusOf(id);
    return { id, number: STEP_IDS.indexOf(id) + 1, title: TITLES[id], status, text };
  }

  private statusOf(id: StepId): StatusText {
    switch (id) {
      case 'model':
        return this.ofModel();
      case 'data':
        return this.ofData();
      case 'recipe':
        return this.ofRecipe();
      case 'run':
        return this.ofRun();
      case 'result':
        return this.ofResult();
    }
  }

  private ofModel(): StatusText {
    const { model, importing, models } = this.workspace;
    if (importing)
      return [
        'working',
        `Importing ${importing.name}, ${Math.round((100 * importing.done) / Math.max(1, importing.total))} %`,
      ];
    if (model) return ['done', `${model.name}, ${WEIGHTS[model.quantization]}, ${bytes(model.storedBytes)}`];
    return [
      'needed',
      models.length > 0 ? 'Choose one of the stored models, or drop another' : 'Drop a model',
    ];
  }

  private ofData(): StatusText {
    const { data, model } = this.workspace;
    const { train, validation, all } = data;
    if (all.length === 0) return [model ? 'needed' : 'waiting', 'Needs a training file'];
    if (all.some(({ progress }) => progress !== null)) return ['working', 'Reading rows'];
    if (!model)
      return [
        'waiting',
        `${all.length === 1 ? 'A file is' : `${all.length} files are`} here; reading them needs a model`,
      ];
    if (data.blockers.length > 0)
      return [train ? 'problem' : 'needed', train ? data.blockers[0] : 'Needs a training file'];
    const sets =
      validation.length === 0
        ? 'no validation file'
        : validation.length === 1
          ? '1 validation file'
          : `${validation.length} validation files`;
    return ['done', `${train!.title}: ${integer(train!.report?.summary.rows ?? 0)} rows; ${sets}`];
  }

  private ofRecipe(): StatusText {
    const { plan, recipeError, presetName } = this.workspace;
    if (recipeError) return ['problem', recipeError];
    return ['done', plan ? `${presetName}, ${integer(plan.totalSteps)} steps` : presetName];
  }

  private ofRun(): StatusText {
    const { run, blockers, plan, busy } = this.workspace;
    if (run) {
      switch (run.phase) {
        case 'ended':
          return ['done', run.outcome ? endText(run.outcome.reason) : ''];
        case 'failed':
          return ['problem', 'Failed'];
        case 'preparing':
        case 'training':
        case 'evaluating':
          return ['working', run.doing];
      }
    }
    if (blockers.length > 0) return ['waiting', 'Waits for what is missing'];
    if (!plan) return [busy ? 'working' : 'waiting', busy ? 'Planning' : 'Waits for what is missing'];
    return ['needed', 'Ready to train'];
  }

  private ofResult(): StatusText {
    const { run, result } = this.workspace;
    if (result && result.runId !== run?.outcome?.runId)
      return ['done', `${result.title[0].toUpperCase()}${result.title.slice(1)}`];
    if (run?.outcome)
      return [
        'done',
        `Adapter of step ${integer(run.outcome.adapterStep)}, trained in ${duration(run.outcome.seconds)}`,
      ];
    return [
      'waiting',
      run?.active
        ? 'Comes when the run ends; you can stop it and keep what it learned'
        : 'Comes after the run',
    ];
  }
}
