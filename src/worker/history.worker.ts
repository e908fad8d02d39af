import { expose } from 'comlink';
import { HistoryHost } from './historyHost.ts';
import { holdLife } from './life.ts';

expose(new HistoryHost());
holdLife();
