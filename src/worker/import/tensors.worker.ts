import { expose } from 'comlink';
import { openDatabase } from '../../storage/database.ts';
import { laneHere, type TensorLane } from '../../import/importModel.ts';
import { holdLife } from '../liveness.ts';

const database = openDatabase();

const api: { store: TensorLane } = { store: async (...tensor) => laneHere(await database)(...tensor) };

expose(api);
holdLife();
