import { expose, transfer } from 'comlink';
import type { DatasetApi, RowsApi } from './datasetProtocol.ts';
import { DocumentTable } from '../../data/documentTable.ts';
import { RowFileHost } from './rowFile.ts';

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
    };
    expose(served, port);
  }
}
