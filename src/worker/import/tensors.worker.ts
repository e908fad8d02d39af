import { openDatabase } from '../../storage/openDatabase.ts';
import { laneHere, type TensorLane } from '../../import/tensorLane.ts';
import { serveWorker } from '../serveWorker.ts';

const database = openDatabase();

const api: { store: TensorLane } = { store: async (...tensor) => laneHere(await database)(...tensor) };

serveWorker(api);
