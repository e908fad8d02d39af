import { expose } from 'comlink';
import { HistoryHost } from './historyHost.ts';
import { holdLife } from '../liveness.ts';

expose(new HistoryHost());
holdLife();
