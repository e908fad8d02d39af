/**
 * The teacher's board: what the server says of the class, the prompts, matches, and adapters that are
 * blended.
 */
import { t } from '../../language/messages.svelte.ts';
import { ASK_EVERY_MS, type BoardState } from '../../../lib/classroom/protocol.ts';
import { messageOf } from '../../../lib/errors.ts';
import { blendAdapters } from '../../../formats/adapters/blendAdapters.ts';
import { writePeftFolder } from '../../../formats/peft.ts';
import { zipFolder } from '../../../formats/zip.ts';
import { reported } from '../../errors/reported.ts';
import { save } from '../../layout/saveFile.ts';
import { adapterZip, readAdapterZip } from '../adapterZip.ts';
import { classRequest } from '../classRequests.ts';

export class Board {
  state = $state.raw<BoardState | null>(null);
  /** The server stopped answering, in a sentence. */
  gone = $state<string | null>(null);
  error = $state<string | null>(null);
  done = $state<string | null>(null);
  busy = $state(false);
  qr = $state<string | null>(null);
  /** Weights of the blend by student. */
  weights = $state<Record<number, number>>({});
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly secret: string) {}

  async start(): Promise<void> {
    await this.keepAsking();
    if (!this.state) return;
    const response = await classRequest('board/qr.svg', { token: this.secret });
    this.qr = URL.createObjectURL(await response.blob());
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private async keepAsking(): Promise<void> {
    try {
      this.state = (await (await classRequest('board/state', { token: this.secret })).json()) as BoardState;
      this.gone = null;
    } catch (error) {
      this.gone = t.errors.shown(messageOf(error));
    }
    this.timer = setTimeout(() => void this.keepAsking(), ASK_EVERY_MS);
  }

  setPrompts(texts: readonly string[]): Promise<void> {
    return this.post('prompts', { prompts: texts });
  }

  beginMatch(prompt: number, a: number, b: number): Promise<void> {
    return this.post('match', { prompt, a, b });
  }

  closeMatch(): Promise<void> {
    return this.post('close', {});
  }

  remove(id: number): Promise<void> {
    return this.post('remove', { id });
  }

  /** Students whose adapter is here. */
  get senders(): BoardState['students'] {
    return (this.state?.students ?? []).filter(({ adapterBytes }) => adapterBytes !== null);
  }

  /** Downloads one student's adapter. */
  gather(id: number, name: string): Promise<void> {
    return this.guard('fetching an adapter', async () => {
      save(`${name}.zip`, await this.zipOf(id), 'application/zip');
    });
  }

  /** Blends the adapters by their weights. @param share gives it to the class as well */
  blend(share: boolean): Promise<void> {
    return this.guard('blending adapters', async () => {
      const chosen = this.senders.filter(({ id }) => (this.weights[id] ?? 0) !== 0);
      const adapters = [];
      for (const { id, name } of chosen)
        adapters.push({
          name,
          weight: this.weights[id],
          adapter: await readAdapterZip(await this.zipOf(id)),
        });
      const { settings, tensors } = blendAdapters(adapters);
      const shares = adapters.map(({ name, weight }) => `${name} ${weight}`).join(', ');
      const card = `# Blend of a class\n\nPEFT's add_weighted_adapter, linear: ${shares}.\n`;
      const folder = writePeftFolder(tensors, settings, {}, card);
      if (!share) return save('blend.zip', zipFolder(folder, 'blend'), 'application/zip');
      const body = adapterZip(folder);
      await classRequest('board/blend', { method: 'PUT', token: this.secret, body });
      this.done = t.board.classHasBlend(shares);
    });
  }

  private async zipOf(id: number): Promise<Uint8Array> {
    const response = await classRequest(`board/adapter/${id}`, { token: this.secret });
    return new Uint8Array(await response.arrayBuffer());
  }

  private post(path: string, json: unknown): Promise<void> {
    return this.guard(path, async () => {
      const response = await classRequest(`board/${path}`, { method: 'POST', token: this.secret, json });
      this.state = (await response.json()) as BoardState;
    });
  }

  private async guard(where: string, work: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.error = this.done = null;
    try {
      await work();
    } catch (error) {
      this.error = reported(error, where);
    }
    this.busy = false;
  }
}
