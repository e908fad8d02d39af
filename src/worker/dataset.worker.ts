import { expose } from 'comlink';
import type { DatasetApi, RowsApi } from './protocol.ts';
import { RowFile } from './rowFile.ts';

let rows: RowFile | null = null;

const api: DatasetApi = {
  async load(request, onProgress) {
    rows = await RowFile.read(request, onProgress);
    return rows.report();
  },
  preview: async (row) => rows?.preview(row) ?? [],
  packed: async (request) => rows?.packed(request) ?? null,
  async serve(port) {
    const served: RowsApi = { documents: async () => rows?.dataset.documents ?? [] };
    expose(served, port);
  },
};

expose(api);
