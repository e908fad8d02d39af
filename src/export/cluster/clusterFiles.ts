/**
 * A folder with which a run goes on on a bigger machine: a script of TRL, PEFT and bitsandbytes, the same
 * recipe, the rows as they are trained, adapter and optimiser of one step.
 */
import type { AdapterTensors, OptimizerState } from '../../engine/engine.ts';
import type { ChatTokenizer } from '../../data/tokenizer/chatTokenizer.ts';
import { type ReadAdapter, writePeftFolder } from '../../formats/peft.ts';
import { writeSafetensors, type TensorToWrite } from '../../formats/safetensors.ts';
import { isHubId } from '../../lib/hubAddress.ts';
import { UserError } from '../../lib/errors.ts';
import { recipeToJson, type Recipe } from '../../training/recipe.ts';
import { exportedTokenizerTexts } from '../exportedTokenizer.ts';
import { wholeFile, type ExportFile } from '../exportFile.ts';
import cpu from './accelerate/cpu.yaml?raw';
import manyGpus from './accelerate/many_gpus.yaml?raw';
import manyNodes from './accelerate/many_nodes.yaml?raw';
import oneGpu from './accelerate/one_gpu.yaml?raw';
import continuedTrainer from './continued_trainer.py?raw';
import requirements from './requirements.txt?raw';
import rows from './rows.py?raw';
import train from './train.py?raw';

/** Where the run stands. */
export interface ClusterState {
  /** Steps that were taken. */
  step: number;
  /** As it is trained: modules may have ranks of their own. */
  adapter: AdapterTensors;
  /** null: its moments are not kept. */
  optimizer: OptimizerState | null;
}

/** What this form needs beside the adapter. */
export interface ClusterParts {
  recipe: Recipe;
  /** null: nothing is known of a run, and the adapter that is exported begins one. */
  state: ClusterState | null;
  /** Of the whole run; null: as the recipe and the rows give it. */
  totalSteps: number | null;
  /** Rows as JSON lines of input_ids and labels, by file name in data/; null: a person puts them there. */
  data: ReadonlyMap<string, Blob> | null;
}

const ACCELERATE = {
  'one_gpu.yaml': oneGpu,
  'many_gpus.yaml': manyGpus,
  'many_nodes.yaml': manyNodes,
  'cpu.yaml': cpu,
};

/** @throws UserError for what the script does not do */
export function clusterFiles({
  adapter,
  cluster: { recipe, state, totalSteps, data },
  texts,
  tokenizer,
}: {
  adapter: ReadAdapter;
  cluster: ClusterParts;
  texts: Readonly<Record<string, string>>;
  tokenizer: ChatTokenizer | null;
}): ExportFile[] {
  refuseOthers(recipe);
  const { base_model_name_or_path: base } = adapter.settings;
  const named = [recipe.model, base ?? ''].find(isHubId) ?? null;
  const about = {
    step: state?.step ?? 0,
    total_steps: totalSteps,
    optimizer_steps: state?.optimizer?.steps ?? 0,
    model: named,
    pad_token: tokenizer?.padToken ?? null,
  };
  const inAdapter = writePeftFolder(
    state?.adapter ?? adapter.tensors,
    { ...(state ? recipe.lora : adapter.settings), base_model_name_or_path: named ?? base },
    exportedTokenizerTexts(texts),
  );
  const differences = differencesOf(recipe, !state && adapter.evened, data !== null);
  return [
    wholeFile('train.py', train),
    wholeFile('continued_trainer.py', continuedTrainer),
    wholeFile('rows.py', rows),
    wholeFile('requirements.txt', requirements),
    wholeFile('recipe.json', recipeToJson(recipe)),
    wholeFile(
      'README.md',
      readme(recipe, about, data !== null, state?.optimizer ?? null, differences),
      differences,
    ),
    ...Object.entries(ACCELERATE).map(([name, text]) => wholeFile(`accelerate/${name}`, text)),
    wholeFile('state/state.json', `${JSON.stringify(about, null, 2)}\n`),
    ...(state?.optimizer ? [wholeFile('state/optimizer.safetensors', momentsOf(state.optimizer))] : []),
    ...[...inAdapter].map(([name, bytes]) => wholeFile(`adapter/${name}`, bytes)),
    ...[...(data ?? [])].map(([name, blob]): ExportFile => ({
      path: `data/${name}`,
      bytes: blob.size,
      async *pieces() {
        for (let at = 0; at < blob.size; at += READ_BYTES)
          yield new Uint8Array(await blob.slice(at, at + READ_BYTES).arrayBuffer());
      },
    })),
  ];
}

/** @throws UserError for runs that the script would continue otherwise than they were trained */
function refuseOthers({ method, quantization, mix_ratios, training }: Recipe): void {
  if (Object.keys(mix_ratios).length > 0)
    throw new UserError(
      'The script for a bigger machine draws every row once an epoch, and this run mixes files by "mix_ratios". Export the adapter, and start a trainer of TRL from it.',
    );
  if (training.packing)
    throw new UserError(
      'The script for a bigger machine counts rows, and this run counts packed ones ("packing": true). Train with "packing": false to export it, or export the adapter and start a trainer of TRL from it.',
    );
  if (method !== 'sft')
    throw new UserError(
      `The script for a bigger machine trains with method "sft"; this run's is "${method}". Export the adapter, and start a trainer of TRL from it.`,
    );
  if (quantization === 'gguf')
    throw new UserError(
      'The script for a bigger machine trains over bitsandbytes\' NF4 or over 16-bit weights; this run\'s base is held as the blocks of a GGUF ("quantization": "gguf"). Merge the adapter, and train on from the merged model.',
    );
}

/** What the script leaves out of the recipe, or does otherwise. @param evened of an adapter without a run */
function differencesOf({ evaluation, metrics }: Recipe, evened: boolean, hasData: boolean): string[] {
  const { metric_for_best_model: metric, predict_with_generate } = evaluation;
  return [
    metric
      ? `The script goes to its last step and keeps the last adapter: it neither stops early nor keeps the best by ${metric}.`
      : '',
    predict_with_generate || metrics.length > 0
      ? 'The script evaluates losses only: it generates no answers, and computes no metrics of them.'
      : '',
    evened
      ? 'The modules of this adapter had ranks or alphas of their own and were brought to one: it answers the same, and learns otherwise.'
      : '',
    hasData
      ? ''
      : 'Of rows of `messages` that you put into data/ the script learns the last answer only, where the page learns every answer.',
  ].filter((text) => text !== '');
}

const READ_BYTES = 8 * 2 ** 20;

/** AdamW's moments under the names that the adapter has in its file. */
function momentsOf({ expAvg, expAvgSq }: OptimizerState): Uint8Array {
  const tensors = new Map<string, TensorToWrite>();
  for (const [kind, moments] of [
    ['exp_avg', expAvg],
    ['exp_avg_sq', expAvgSq],
  ] as const)
    for (const [name, { shape, data }] of moments)
      tensors.set(`${kind}.${name}`, { dtype: 'F32', shape, data });
  return writeSafetensors(tensors);
}

function readme(
  { model, training, lora }: Recipe,
  { step, model: named, total_steps }: { step: number; model: string | null; total_steps: number | null },
  hasData: boolean,
  optimizer: OptimizerState | null,
  differences: readonly string[],
): string {
  const noise = lora.lora_dropout > 0 || training.neftune_noise_alpha !== null;
  const name = named ?? 'FOLDER_OF_THE_BASE_MODEL';
  const notes = [
    named
      ? ''
      : `The base model was read from files ("${model}"): give \`--model\` its folder, or its name on the Hub.`,
    hasData
      ? 'data/ holds the rows as they are trained: ids and labels, -100 where nothing is learned.'
      : 'data/ is empty: put data/train.jsonl and files such as data/math.val.jsonl there, one JSON object a line with `messages`, or with `query` and `response`.',
    optimizer
      ? `The curve goes on at step ${step}${total_steps === null ? '' : ` of ${total_steps}`}, with AdamW's moments of that step.`
      : step > 0
        ? `Steps go on at ${step}; AdamW's moments of that step are not kept any more, so that the first steps differ.`
        : 'The run begins with the exported adapter, at step 0.',
    noise
      ? 'Dropout and NEFTune draw other random numbers than the page did: losses agree on average only.'
      : '',
    ...differences,
    'On a GPU what is not quantised is bfloat16, where the page computes in float32; `--dtype float32` is as the page.',
  ];
  return `# Continue on a bigger machine

\`\`\`sh
pip install -r requirements.txt
accelerate launch --config_file accelerate/one_gpu.yaml train.py --model ${name}
\`\`\`

accelerate/many_gpus.yaml and many_nodes.yaml are for FSDP with QLoRA; cpu.yaml tries the folder out. The
number of processes must divide the rows of a step; \`--max-steps N\` goes on beyond the end of the run. out/metrics.jsonl
continues the page's, and out/adapter/ is a PEFT folder.

${notes
  .filter((note) => note !== '')
  .map((note) => `- ${note}`)
  .join('\n')}
`;
}
