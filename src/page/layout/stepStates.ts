/** The state of each of the five steps, in words. All is derived from the workspace. */
import { t } from '../language/messages.svelte.ts';
import type { ModelDetails, ModelSummary } from '../../worker/import/importProtocol.ts';
import type { RunPlan } from '../../worker/trainer/trainerProtocol.ts';
import type { DataFiles } from '../data/DataFiles.svelte.ts';
import type { Result } from '../result/Result.svelte.ts';
import type { RunView } from '../run/RunView.svelte.ts';
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
  readonly trainBlockers: string[];
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
    return { id, number: STEP_IDS.indexOf(id) + 1, title: t.layout.steps[id], status, text };
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
      return ['working', t.layout.importing(importing.name, importing.done / Math.max(1, importing.total))];
    if (model) return ['done', t.layout.chosen(model)];
    return ['needed', models.length > 0 ? t.layout.chooseModel : t.layout.dropModel];
  }

  private ofData(): StatusText {
    const { data, model } = this.workspace;
    const { train, validation, all } = data;
    if (all.length === 0) return [model ? 'needed' : 'waiting', t.layout.needsTraining];
    if (all.some(({ progress }) => progress !== null)) return ['working', t.data.reading(0, 0)];
    if (!model) return ['waiting', t.layout.filesWait(all.length)];
    if (data.blockers.length > 0)
      return [train ? 'problem' : 'needed', train ? data.blockers[0] : t.layout.needsTraining];
    const rows = train!.report?.summary.rows ?? 0;
    return ['done', t.layout.dataReady(train!.title, rows, validation.length)];
  }

  private ofRecipe(): StatusText {
    const { plan, recipeError, presetName } = this.workspace;
    if (recipeError) return ['problem', recipeError];
    return ['done', plan ? t.layout.recipeSteps(presetName, plan.totalSteps) : presetName];
  }

  private ofRun(): StatusText {
    const { run, trainBlockers, plan, busy } = this.workspace;
    if (run) {
      switch (run.phase) {
        case 'ended':
          return ['done', run.outcome ? t.run.ends[run.outcome.reason] : ''];
        case 'failed':
          return ['problem', t.run.failed];
        case 'preparing':
        case 'training':
        case 'evaluating':
          return ['working', run.doing];
      }
    }
    if (trainBlockers.length > 0) return ['waiting', t.layout.waits];
    if (!plan) return [busy ? 'working' : 'waiting', busy ? t.layout.planning : t.layout.waits];
    return ['needed', t.layout.ready];
  }

  private ofResult(): StatusText {
    const { run, result } = this.workspace;
    if (result && result.runId !== run?.outcome?.runId)
      return ['done', `${result.title[0].toUpperCase()}${result.title.slice(1)}`];
    if (run?.outcome) return ['done', t.layout.trained(run.outcome.adapterStep, run.outcome.seconds)];
    return ['waiting', run?.active ? t.layout.comesWhenItEnds : t.layout.comesAfter];
  }
}
