import { expose } from 'comlink';
import { HistoryHost } from './historyHost.ts';

expose(new HistoryHost());
