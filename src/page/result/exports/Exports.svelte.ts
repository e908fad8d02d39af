/** The result's other forms: one is made at a time, into a folder or as a download. */
import { t } from '../../language/messages.svelte.ts';
import type { ExportName } from '../../../export/exportNames.ts';
import type { ExportRequest } from '../../../worker/history/historyProtocol.ts';
import { reported } from '../../errors/reported.ts';
import { canSaveFolder, pickFolder, saveBlob } from '../../layout/saveFile.ts';
import { rowsOf } from './exportedRows.ts';
import { playerModules } from './playerModules.ts';
import type { ResultWorkers } from '../resultWorkers.ts';

export class Exports {
  /** The form that is being made. */
  busy = $state<ExportName | null>(null);
  note = $state<string | null>(null);
  failure = $state<string | null>(null);
  /** What a person must know of the last one. */
  warnings = $state<readonly string[]>([]);
  /** As a zip, whether or not the browser can write into a folder. */
  asZip = $state(!canSaveFolder);
  ggufType = $state<ExportRequest['ggufType']>('Q8_0');

  constructor(
    private readonly runId: string,
    private readonly workers: Pick<ResultWorkers, 'history' | 'data'>,
  ) {}

  /** Into a folder that the person picks, where the browser can, else as a zip. */
  async make(form: ExportName): Promise<void> {
    this.note = this.failure = null;
    this.warnings = [];
    this.busy = form;
    try {
      const request: ExportRequest = {
        runId: this.runId,
        form,
        ggufType: this.ggufType,
        ...(form === 'player' && { playerModules: await playerModules() }),
        ...(form === 'cluster' && { rows: await rowsOf(this.workers.data()) }),
      };
      if (!this.asZip) {
        const folder = await pickFolder();
        if (!folder) return;
        this.warnings = await this.workers.history.ask((api) => api.exportInto(request, folder));
        this.note = t.result.exportWritten(t.result.exportForms[form], folder.name);
      } else {
        const { file, notes } = await this.workers.history.ask((api) => api.exportAsFile(request));
        this.warnings = notes;
        this.download(form, file);
      }
    } catch (error) {
      this.failure = reported(error, `exporting as ${form}`);
    } finally {
      this.busy = null;
    }
  }

  private download(form: ExportName, file: File): void {
    saveBlob(`${form}.zip`, file);
    this.note = t.result.exportDownloaded(t.result.exportForms[form], `${form}.zip`);
  }
}
