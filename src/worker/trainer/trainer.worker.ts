import { serveWorker } from '../serveWorker.ts';
import { TrainerHost } from './trainerHost.ts';

serveWorker(new TrainerHost());
