import { expose, wrap } from 'comlink';
import { evaluateFile, type Scorer } from '../training/evaluation.ts';
import type { EvaluateApi, EvaluationApi, ScorerApi } from './protocol.ts';
import { RowFile } from './rowFile.ts';

let rows: RowFile | null = null;

const api: EvaluationApi = {
  async load(request, onProgress) {
    rows = await RowFile.read(request, onProgress);
    return rows.report();
  },
  preview: async (row) => rows?.preview(row) ?? [],
  packed: async (request) => rows?.packed(request) ?? null,
  questions: async (count) => rows?.questions(count) ?? [],
  async connect(scorerPort, ownPort, evaluation, seed) {
    const remote = wrap<ScorerApi>(scorerPort);
    const served: EvaluateApi = {
      async evaluate() {
        if (!rows) throw new Error('the file was not read');
        const { tokenizer, dataset } = rows;
        const scorer: Scorer = {
          tokensPerMicroBatch: await remote.tokensPerMicroBatch(),
          score: (batch) => remote.score(batch),
          generate: (prompts, options) => remote.generate(prompts, options),
        };
        const generation = evaluation.predict_with_generate
          ? {
              questions: rows.questions(evaluation.eval_max_samples),
              maxNewTokens: evaluation.max_new_tokens,
              stopTokenIds: tokenizer.stopTokenIds,
              doSample: evaluation.do_sample,
              temperature: evaluation.temperature,
              topP: evaluation.top_p,
              seed,
              decode: (ids: number[]) => tokenizer.decode(ids, { skipSpecial: true }),
            }
          : null;
        return evaluateFile({ documents: dataset.documents, padTokenId: tokenizer.padTokenId, generation }, scorer);
      },
    };
    expose(served, ownPort);
  },
};

expose(api);
