import { expose } from 'comlink';
import { holdLife } from './life.ts';
import { TrainerHost } from './trainerHost.ts';

expose(new TrainerHost());
holdLife();
