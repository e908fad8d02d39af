import { expose } from 'comlink';
import { holdLife } from '../liveness.ts';
import { TrainerHost } from './trainerHost.ts';

expose(new TrainerHost());
holdLife();
