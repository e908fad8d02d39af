import { expose, transfer } from 'comlink';
import type { DatasetApi, RowSample, RowsApi } from './datasetProtocol.ts';
import { DocumentTable } from '../../data/documentTable.ts';
import { RowFileHost } from './rowFile.ts';
import { rowsByLoss, sampledRows, tableOf, type RowsByLoss } from './rowsByLoss.ts';

/** The training rows, served to the page and to the trainer. */
export class DatasetHost extends RowFileHost implements DatasetApi {
  async serve(port: MessagePort): Promise<void> {
    const served: RowsApi = {
      documents: async () => {
        const { arrays, buffers } = (this.rows?.dataset.documents ?? DocumentTable.of('', [])).copy();
        return transfer(arrays, buffers);
      },
      labels: async () => {
        const { labels, documents } = this.read.dataset;
        return labels.size === 0
          ? null
          : Uint8Array.from({ length: documents.length }, (_, i) => Number(labels.get(i)));
      },
      prompts: async () => {
        const { prompts, sources, documents } = this.read.dataset;
        if (!prompts) return null;
        return sources.map(({ question, reference, record }, i) => ({
          file: documents.fileOf(i),
          line: documents.lineOf(i),
          prompt: question,
          reference,
          record,
        }));
      },
    };
    expose(served, port);
  }

  async sample(most: number): Promise<RowSample> {
    const rows = sampledRows(this.read.dataset, most);
    const { arrays, buffers } = tableOf(this.read.dataset.documents, rows).copy();
    return transfer({ rows, documents: arrays }, buffers);
  }

  async rowsByLoss(rows: Uint32Array, losses: Float32Array, count: number): Promise<RowsByLoss> {
    return rowsByLoss(rows, losses, this.read.dataset, this.read.tokenizer, count);
  }
}
