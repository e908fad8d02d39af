import { expose } from 'comlink';
import { TrainerHost } from './trainerHost.ts';

expose(new TrainerHost());
