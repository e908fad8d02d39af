/**
 * Which place of the page is shown, and which step comes next. The address follows it and leads back here, by
 * PlaceInAddress.svelte.
 */
import { isTyping, STEP_IDS, type PlaceId, type StepId } from './places.ts';
import { StepStates, type FlowSource, type StepState } from './stepStates.ts';

export class Flow {
  /** The one step or tool in the middle of the page. */
  shown = $state<PlaceId>('model');
  private readonly states: StepStates;

  constructor(workspace: FlowSource) {
    this.states = new StepStates(workspace);
  }

  get steps(): StepState[] {
    return this.states.all;
  }

  step(id: StepId): StepState {
    return this.states.of(id);
  }

  show(place: PlaceId): void {
    this.shown = place;
  }

  /**
   * Something was done in a step: from there the page goes on to the step whose turn it is. It stays where
   * the person is elsewhere, or types.
   */
  moveOn(from: StepId): void {
    if (this.shown !== from || isTyping()) return;
    const { id } = this.current;
    if (STEP_IDS.indexOf(id) > STEP_IDS.indexOf(from)) this.show(id);
  }

  /** The step whose turn it is. */
  get current(): StepState {
    const { steps } = this;
    return (
      steps.find(({ status }) => status === 'working') ??
      steps.find(({ status }) => status === 'problem') ??
      steps.find(({ status }) => status === 'needed') ??
      steps.at(-1)!
    );
  }
}
