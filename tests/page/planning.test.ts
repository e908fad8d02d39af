/**
 * The plan of the run at hand: answers for what is no longer on the page, what fails, and the work on the
 * GPU.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryCheck } from '../../src/page/gpu/MemoryCheck.svelte.ts';
import type { NextStart } from '../../src/page/history/History.svelte.ts';
import { Workspace } from '../../src/page/Workspace.svelte.ts';
import { parseRecipe } from '../../src/training/recipe.ts';
import type { PlanRequest, RunPlan } from '../../src/worker/trainer/trainerProtocol.ts';
import { later, stubPage, stubWorkers, type FakeWorkers } from '../helpers/fakeWorkers.ts';
import { fileReport, MODEL, runPlan } from '../helpers/pageData.ts';

let workers: FakeWorkers;
/** Requests for a plan, each answered by the test. */
let asked: { request: PlanRequest; answer: ReturnType<typeof later<RunPlan>> }[];
let probes: (number | null | Error)[];
let stored: Map<string, string>;

beforeEach(() => {
  [asked, probes] = [[], []];
  ({ stored } = stubPage());
  workers = stubWorkers((name) => {
    if (name === 'trainer')
      return {
        plan: (request: PlanRequest) => {
          const answer = later<RunPlan>();
          asked.push({ request, answer });
          return answer.promise;
        },
        probe: async () => {
          const granted = probes.shift() ?? null;
          if (granted instanceof Error) throw granted;
          return granted;
        },
        measureKernels: async () => null,
      };
    return {
      details: async () => MODEL,
      load: async () => fileReport('train.jsonl'),
      fingerprints: async () => 'prints',
    };
  });
});
afterEach(() => {
  vi.useRealTimers();
  workers.close();
});

async function answered(count: number, plan = runPlan()): Promise<void> {
  await vi.waitFor(() => expect(asked.length).toBe(count));
  asked[count - 1].answer.resolve(plan);
}

/** A workspace with a model and rows; the first plan is answered. */
async function ready(): Promise<Workspace> {
  const workspace = new Workspace();
  await workspace.library.select(MODEL.id);
  const adding = workspace.addData([new File(['rows'], 'train.jsonl')]);
  await answered(1);
  await adding;
  return workspace;
}

describe('the plan', () => {
  it('is made from the recipe and the rows that are on the page', async () => {
    const workspace = await ready();
    expect(asked[0].request).toMatchObject({
      modelId: MODEL.id,
      trainLengths: Uint32Array.of(10, 10, 10),
      longestValidation: 0,
    });
    expect(workspace.plan?.totalSteps).toBe(8);
    expect(workspace.flow.step('run')).toMatchObject({ status: 'needed', text: 'Ready to train' });
  });

  it('says by the kind of an error, not by its words, whether a smaller run would do', async () => {
    const workspace = await ready();
    const refused = async (count: number, name: string) => {
      const changing = workspace.recipeChanged(false);
      await vi.waitFor(() => expect(asked.length).toBe(count));
      // As it comes from another thread: an Error with the name of its class.
      asked[count - 1].answer.reject(Object.assign(new Error('Lower max_length.'), { name }));
      await changing;
      return [workspace.planning.error, workspace.planning.isTooLarge];
    };
    expect(await refused(2, 'TooLargeError')).toEqual(['Lower max_length.', true]);
    expect(await refused(3, 'UserError')).toEqual(['Lower max_length.', false]);
  });

  it('finds remedies for 200,000 rows', async () => {
    const check = new MemoryCheck({ plan: async () => runPlan(), probe: async () => null });
    const trainLengths = Uint32Array.from({ length: 200_000 }, (_, i) => 1 + (i % 900));
    const recipe = parseRecipe({ max_length: 1024 });
    const request = { modelId: 'm', recipe, trainLengths, longestValidation: 7, kernels: {} };
    await check.findRemedies(request as PlanRequest, null);
    expect(check.remedies!.map(({ label }) => label)).toContain('max_length 512');
  });

  it('is not the answer for an earlier recipe, in whichever order the answers come', async () => {
    const workspace = await ready();
    workspace.recipe.lora.r = 64;
    const earlier = workspace.recipeChanged(false);
    await vi.waitFor(() => expect(asked.length).toBe(2));
    expect(workspace.plan).toBeNull();
    expect(workspace.busy).toBe(true);
    workspace.recipe.lora.r = 2;
    const later = workspace.recipeChanged(false);
    await answered(3, runPlan({ totalSteps: 2 }));
    await later;
    asked[1].answer.resolve(runPlan({ totalSteps: 64 }));
    await earlier;
    expect(workspace.plan?.totalSteps).toBe(2);
    expect(workspace.busy).toBe(false);
  });

  it('that cannot be made is a reason why Train cannot be pressed, until the recipe changes', async () => {
    const workspace = await ready();
    const failing = workspace.recipeChanged(false);
    await vi.waitFor(() => expect(asked.length).toBe(2));
    asked[1].answer.reject(new Error('This run needs 9 GiB'));
    await failing;
    expect(workspace.plan).toBeNull();
    expect(workspace.blockers).toEqual(['This run needs 9 GiB']);
    const changed = workspace.recipeChanged(false);
    await answered(3);
    await changed;
    expect(workspace.blockers).toEqual([]);
  });

  it('does not begin anew where the recipe goes on from files of a disk, which are named', async () => {
    const workspace = await ready();
    workspace.recipe.adapter_name_or_path = '../first/adapter';
    workspace.recipe.training.resume_from_checkpoint = 'run.zip';
    expect(workspace.trainBlockers).toEqual([
      expect.stringMatching(/the run file .*run\.zip.* \(resume_from_checkpoint\), which a page cannot open/),
      expect.stringMatching(
        /the adapter .*first\/adapter.* \(adapter_name_or_path\), which a page cannot open/,
      ),
    ]);
    expect(workspace.flow.step('run').status).toBe('waiting');
    expect(workspace.queue.blocker).toBe(workspace.trainBlockers[0]);
    // Resume is not in question, nor Train once an adapter is chosen.
    expect(workspace.blockers).toEqual([]);
    workspace.recipe.training.resume_from_checkpoint = null;
    const { r, lora_alpha, use_rslora, use_dora, target_modules } = workspace.recipe.lora;
    const lora = { r, lora_alpha, use_rslora, use_dora, target_modules };
    const adapter = { name: 'adapter', modelId: MODEL.id, lora } as unknown as NextStart;
    workspace.runs.history.startFrom = adapter;
    expect(workspace.trainBlockers).toEqual([]);
  });

  it('is gone while the recipe has a mistake', async () => {
    const workspace = await ready();
    workspace.recipe.lora.r = -1;
    await workspace.recipeChanged(false);
    expect(workspace.plan).toBeNull();
    expect(workspace.recipeError).toMatch(/lora\.r/);
    expect(workspace.flow.step('recipe').status).toBe('problem');
    expect(asked.length).toBe(1);
  });

  it('fails when its trainer dies, and is made by another trainer', async () => {
    const workspace = await ready();
    const failing = workspace.recipeChanged(false);
    await vi.waitFor(() => expect(asked.length).toBe(2));
    workers.named('trainer')[0].die('the GPU process crashed');
    await failing;
    expect(workspace.busy).toBe(false);
    expect(workspace.blockers).toEqual([
      'The trainer worker ended before it was done: the GPU process crashed. Try again.',
    ]);
    const again = workspace.recipeChanged(false);
    await answered(3);
    await again;
    expect(workspace.blockers).toEqual([]);
    expect(workers.named('trainer').length).toBe(2);
  });

  it('is refused without asking where a row has more tokens than the model knows positions', async () => {
    const workspace = await ready();
    workspace.library.model = { ...MODEL, maxPositions: 8 };
    await workspace.planning.refresh();
    expect(workspace.blockers.join()).toMatch(
      /The longest row has 10 tokens.*8 positions\. Lower max_length to 8/,
    );
    expect(asked.length).toBe(1);
  });

  it('keeps the columns of a file under its name, whatever the file is called', async () => {
    const workspace = new Workspace();
    await workspace.library.select(MODEL.id);
    const adding = workspace.addData([new File(['rows'], '__proto__')]);
    await answered(1);
    await adding;
    const choosing = workspace.chooseColumns('__proto__', { prompt: 'a', response: 'b' });
    await answered(2);
    await choosing;
    expect(Object.entries(workspace.recipe.columns)).toEqual([['__proto__', { prompt: 'a', response: 'b' }]]);
  });

  it('takes its kernels from the address, and says what the address may hold', async () => {
    stubPage('https://page.example/?level=double');
    const workspace = new Workspace();
    await workspace.library.select(MODEL.id);
    await workspace.addData([new File(['rows'], 'train.jsonl')]);
    expect(workspace.blockers.join()).toMatch(/The page's address says level=double/);
    expect(asked.length).toBe(0);
  });
});

describe("what is known of the GPU's memory", () => {
  it('is what the person named, also after a reload', async () => {
    const { memory } = (await ready()).planning;
    expect(memory.verdict(3 * 2 ** 30).verdict).toBe('unknown');
    memory.name(8);
    expect(memory.verdict(3 * 2 ** 30).verdict).toBe('fits');
    expect([...stored.values()]).toEqual(['8']);
    expect(new Workspace().planning.memory.knownGiB).toBe(8);
    memory.name(NaN);
    expect(memory.knownGiB).toBeNull();
    expect(stored.size).toBe(0);
  });

  it('is what the driver granted, or why it could not be asked', async () => {
    const { memory } = (await ready()).planning;
    probes.push(100, null, new Error('A run is going on.'));
    await memory.ask(200);
    expect(memory.verdict(150)).toMatchObject({ verdict: 'no' });
    expect(memory.failure).toBeNull();
    await memory.ask(200);
    expect(memory.failure).toMatch(/no WebGPU/);
    await memory.ask(200);
    expect(memory.failure).toBe('A run is going on.');
    expect(memory.probing).toBe(false);
  });

  it('gives remedies for the recipe of now: those for an earlier one are dropped', async () => {
    const workspace = await ready();
    workspace.recipe.training.gradient_checkpointing = false;
    const finding = workspace.planning.findRemedies();
    await vi.waitFor(() => expect(asked.length).toBe(2));
    workspace.planning.memory.forget();
    asked[1].answer.resolve(runPlan());
    await finding;
    expect(workspace.planning.memory.remedies).toBeNull();
  });
});
