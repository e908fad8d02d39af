/** From an empty page to a running demo, as a person would go. */
import { t } from '../language/messages.svelte.ts';
import { DEMO_NAME, fetchDemo, type DemoKind } from './demo.ts';

/** What the demo needs of the page. */
export interface DemoHost {
  readonly library: { importModel(files: File[], name: string): Promise<void> };
  readonly data: { readonly train: { previewOpen: boolean } | null };
  readonly runs: { startRun(): Promise<void> };
  readonly model: object | null;
  readonly plan: object | null;
  readonly blockers: readonly string[];
  loadRecipe(file: File): Promise<void>;
  addData(files: readonly File[]): Promise<void>;
  guard(where: string, work: () => Promise<void>): Promise<void>;
}

export class DemoRun {
  /** What is done before it trains, in words. */
  preparing = $state<string | null>(null);

  constructor(private readonly workspace: DemoHost) {}

  async start(kind: DemoKind = 'rows'): Promise<void> {
    const { workspace } = this;
    this.preparing = t.model.fetchingDemo;
    await workspace.guard('preparing the demo', async () => {
      const demo = await fetchDemo(kind);
      this.preparing = t.model.storingDemo;
      await workspace.loadRecipe(demo.recipe);
      await workspace.library.importModel(demo.model, DEMO_NAME);
      if (workspace.model) await workspace.addData(demo.data);
    });
    this.preparing = null;
    const { train } = workspace.data;
    if (!train || !workspace.plan || workspace.blockers.length > 0) return;
    train.previewOpen = true;
    await workspace.runs.startRun();
  }
}
