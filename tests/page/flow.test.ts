/** Which place of the page is shown, and when it goes on by itself. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Flow } from '../../src/page/layout/Flow.svelte.ts';
import { placeOfHash } from '../../src/page/layout/places.ts';
import type { FlowSource } from '../../src/page/layout/stepStates.ts';

let typing: boolean;
beforeEach(() => {
  typing = false;
  vi.stubGlobal('document', { activeElement: { matches: () => typing } });
});
afterEach(() => vi.unstubAllGlobals());

/** A page with a model and nothing else. */
const flowWith = (changes: Partial<FlowSource> = {}) =>
  new Flow({
    model: { name: 'tiny', quantization: 'nf4', storedBytes: 1 },
    models: [],
    importing: null,
    data: { train: null, validation: [], all: [], blockers: [] },
    recipeError: null,
    presetName: 'Balanced',
    plan: null,
    run: null,
    result: null,
    trainBlockers: ['Drop a training file.'],
    busy: false,
    ...changes,
  } as unknown as FlowSource);

describe('places', () => {
  it('are named by the address, also as the page named them before', () => {
    expect(placeOfHash('#run')).toBe('run');
    expect(placeOfHash('#step-data')).toBe('data');
    expect(placeOfHash('#history')).toBe('history');
    for (const other of ['', '#', '#recipe=e30', '#constructor', '#RUN'])
      expect(placeOfHash(other)).toBeNull();
  });
});

describe('flow', () => {
  it('goes on from a step that is done to the one whose turn it is', () => {
    const flow = flowWith();
    expect(flow.shown).toBe('model');
    flow.moveOn('model');
    expect(flow.shown).toBe('data');
  });

  it('stays where the person is elsewhere, or types', () => {
    const flow = flowWith();
    flow.show('history');
    flow.moveOn('model');
    expect(flow.shown).toBe('history');
    flow.show('model');
    typing = true;
    flow.moveOn('model');
    expect(flow.shown).toBe('model');
  });

  it('never goes back: a step before it may have a problem', () => {
    const flow = flowWith({ recipeError: 'lora.r must be positive.' });
    flow.show('run');
    flow.moveOn('run');
    expect(flow.shown).toBe('run');
  });
});
