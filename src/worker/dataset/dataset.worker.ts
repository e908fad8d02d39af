import { expose, transfer } from 'comlink';
import { serveWorker } from '../serveWorker.ts';
import type { DatasetApi, RowsApi } from './datasetProtocol.ts';
import { DocumentTable } from '../../data/documentTable.ts';
import { RowFileHost } from './rowFile.ts';

class DatasetHost extends RowFileHost implements DatasetApi {
  async serve(port: MessagePort): Promise<void> {
    const served: RowsApi = {
      documents: async () => {
        const { arrays, buffers } = (this.rows?.dataset.documents ?? DocumentTable.of('', [])).copy();
        return transfer(arrays, buffers);
      },
    };
    expose(served, port);
  }
}

serveWorker(new DatasetHost(false));
