/**
 * The script of every worker that holds a data file: the one named `dataset` has the training rows, each
 * other one evaluates a validation file. They share it because a worker's script is bundled with everything
 * that it imports: two scripts would bring the tokenizer and the readers of data files twice.
 */
import { DatasetHost } from '../dataset/datasetHost.ts';
import { serveWorker } from '../serveWorker.ts';
import { EvaluationHost } from './evaluationHost.ts';

serveWorker(self.name === 'dataset' ? new DatasetHost(false) : new EvaluationHost(true));
