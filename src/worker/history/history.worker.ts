import { HistoryHost } from './historyHost.ts';
import { serveWorker } from '../serveWorker.ts';

serveWorker(new HistoryHost());
