import { expose } from 'comlink';
import { holdLife } from '../liveness.ts';
import type { DatasetApi, RowsApi } from './datasetProtocol.ts';
import { RowFileHost } from './rowFile.ts';

class DatasetHost extends RowFileHost implements DatasetApi {
  async serve(port: MessagePort): Promise<void> {
    const served: RowsApi = { documents: async () => this.rows?.dataset.documents ?? [] };
    expose(served, port);
  }
}

expose(new DatasetHost());
holdLife();
