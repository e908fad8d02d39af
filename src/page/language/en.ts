/** English: the language that the page is written in. Every other one has the same keys. */
import type { RecordUnit } from '../../data/files/records.ts';
import { forgettingText, type LossTrend } from '../../training/forgetting.ts';
import { kernelText } from '../../training/kernelRequest.ts';
import type { StorageUse } from '../../worker/import/importProtocol.ts';
import type { EngineProgress, KernelChoice, MemoryChoice } from '../../worker/trainer/trainerProtocol.ts';
import type {
  AnswerEnd,
  CatalogueFigures,
  ChosenModel,
  AnswerFigures,
  Away,
  GradientSpikes,
  Importing,
  Leak,
  Lengths,
  MicroBatch,
  ModelFacts,
  Tally,
  Truncation,
  UnfinishedRun,
} from './messageParameters.ts';
import {
  bytes,
  clause,
  compact,
  dateAndTime,
  duration,
  fixed,
  integer,
  isolated,
  plural,
  share,
  significant,
} from './numbers.ts';

const rows = (count: number) => plural(count, { one: '# row', other: '# rows' });

const common = {
  stop: 'Stop',
  cancel: 'Cancel',
  open: 'Open',
  edit: 'Edit',
  delete: 'Delete',
  remove: 'Remove',
  save: 'Save',
  model: 'Model',
  /** After "n": n of how many. */
  of: (count: number) => `of ${integer(count)}`,
  countOf: (done: number, total: number) => `${integer(done)} of ${integer(total)}`,
  removeNamed: (name: string) => `Remove ${isolated(name)}`,
  deleteNamed: (name: string) => `Delete ${isolated(name)}`,
};

const layout = {
  language: 'Language',
  /** @param name of the language that the browser asks for */
  automatic: (name: string) => `Auto: ${name}`,
  themes: { system: 'System theme', light: 'Light', dark: 'Dark' },
  purpose: "Fine-tune a language model on this computer's graphics card.",
  nothingLeaves: 'Nothing leaves the browser.',
  nothingLeavesButShared: 'Nothing leaves the browser but what you agree to send to your teacher.',
  notKept: (reason: string) =>
    `This browser keeps no data for this page (${reason}). Models, runs and settings are held in this tab's memory: they are gone when it is closed or reloaded, so download the adapter when a run has ended. To keep them, allow site data for this address and reload.`,
  steps: { model: 'Model', data: 'Data', recipe: 'Recipe', run: 'Run', result: 'Result' },
  importing: (name: string, part: number) => `Importing ${isolated(name)}, ${Math.round(100 * part)} %`,
  chosen: ({ name, quantization, storedBytes }: ChosenModel) =>
    `${isolated(name)}, ${model.weights[quantization]}, ${bytes(storedBytes)}`,
  chooseModel: 'Choose one of the stored models, or drop another',
  dropModel: 'Drop a model',
  needsTraining: 'Needs a training file',
  filesWait: (count: number) =>
    `${plural(count, { one: 'A file is', other: '# files are' })} here; reading them needs a model`,
  dataReady: (name: string, count: number, sets: number) =>
    `${isolated(name)}: ${integer(count)} rows; ${sets === 0 ? 'no validation file' : plural(sets, { one: '# validation file', other: '# validation files' })}`,
  recipeSteps: (recipeName: string, steps: number) => `${recipeName}, ${integer(steps)} steps`,
  waits: 'Waits for what is missing',
  planning: 'Planning',
  ready: 'Ready to train',
  trained: (step: number, seconds: number) =>
    `Adapter of step ${integer(step)}, trained in ${duration(seconds)}`,
  comesWhenItEnds: 'Comes when the run ends; you can stop it and keep what it learned',
  comesAfter: 'Comes after the run',
  voteWaits: 'A vote waits for you',
  inClassAs: (name: string) => `As ${isolated(name)}`,
  runs: (count: number) => (count === 0 ? 'No runs yet' : plural(count, { one: '# run', other: '# runs' })),
  bundlesLessons: 'Bundles, lessons',
  storage: 'Storage',
  checkAndMeasure: 'Check and measure',
  nextModel: 'Next: a model',
  nextData: 'Next: a training file',
  dataProblem: 'The data needs a look',
  recipeProblem: 'The recipe has a mistake',
  runFailed: 'The run failed',
  goTo: {
    model: 'Go to the model',
    data: 'Go to the data',
    recipe: 'Go to the recipe',
    run: 'Go to the run',
    result: 'Go to the result',
  },
  trainNow: 'Train now',
  doing: (what: string, secondsLeft: number) =>
    `${what}${Number.isFinite(secondsLeft) ? `, ${duration(secondsLeft)} left` : ''}`,
  doneSteps: (steps: number) => `Done: ${plural(steps, { one: '# step', other: '# steps' })}`,
  tabDone: 'Done',
  tabStopped: 'Stopped',
  dismiss: 'Dismiss',
  stepsList: 'Steps',
  tools: 'Tools',
  runProgress: 'Progress of the run',
  colours: 'Colours',
};

/** When a row is trained: at a 0-based step of so many, at none, or, of a validation file, at evaluations. */
function turnOf(step: number | null, steps: number | null): string {
  if (step === null || steps === null) return 'At every evaluation';
  return step < steps
    ? `First trained in step ${step + 1} of ${steps}`
    : `Not trained: its turn is step ${step + 1}, and the run ends after step ${steps}. There`;
}

const data = {
  rows,
  columnKinds: { pair: 'A prompt and an answer', messages: 'A conversation', text: 'A plain text' },
  emptyInFirstRows: '(empty in the first rows)',
  columnsOf: (file: string) => `Columns of ${isolated(file)}`,
  promptColumn: 'Prompt: only read',
  answerColumn: 'Answer: learned from',
  systemColumn: 'System message',
  turnsColumn: 'Turns: a list with role and content',
  textColumn: 'Text: all of it is learned from',
  chooseColumn: 'choose a column',
  noSystemColumn: 'none (system_prompt)',
  heldOutOf: (names: string) => `rows held out of ${isolated(names)}`,
  readingStopped: (name: string, reached: string) =>
    `Reading ${isolated(name)} was stopped${reached}. Read it again, or remove it.`,
  readingFailed: (name: string, reason: string) =>
    `Reading ${isolated(name)} failed: ${clause(reason)}. Remove the file and drop it again; split it where it is very large.`,
  workerRestarted: (reason: string) =>
    `The worker that holds this file ended (${reason}). It was started again and reads the file again.`,
  workerEndedAgain: (name: string, reason: string) =>
    `The worker that holds ${isolated(name)} ended again: ${clause(reason)}. Remove the file and drop it again.`,
  readAgain: (path: string) => `${isolated(path)} was here already: it was read again.`,
  joined: (names: string[]) =>
    `${names.map(isolated).join(' and ')} are joined: they are trained on as one file. Choose another role on a card, or remove one, where that is not meant.`,
  dropTrainingFile: 'Drop a training file.',
  isBeingRead: (name: string) => `${isolated(name)} is being read.`,
  unknownFormat: (name: string) => `${isolated(name)} is in no known format. Choose its columns above.`,
  problemAt: ({
    file,
    unit,
    line,
    reason,
  }: {
    file: string;
    unit: RecordUnit;
    line: number;
    reason: string;
  }) => `${isolated(file)}, ${unit} ${line}: ${isolated(reason)}`,
  noUsableRow: (name: string) => `${isolated(name)} has no row that can be trained.`,
  badRows: (name: string, count: number) =>
    `${isolated(name)} has ${plural(count, { one: 'a bad row', other: '# bad rows' })}: mend the file, or choose to train without.`,
  formatPairs: '`query`, `response`; or `prompt`, `completion` (texts, or lists of turns)',
  formatAlpaca: 'Alpaca: `instruction`, `input`, `output`',
  formatConversations:
    'conversations: `messages` of `role`, `content`; ShareGPT’s `conversations` of `from`, `value`',
  formatText: 'raw text: `text`, all of it learned from',
  leftOutByRecipe: (count: number) =>
    `${plural(count, { one: '# row is', other: '# rows are' })} left out by the recipe (left_out_rows).`,
  figures: {
    rows: 'rows',
    tokens: 'tokens',
    learnedFrom: 'learned from',
    longest: 'longest row',
    truncated: 'truncated',
    repeated: 'repeated',
    leftOut: 'left out',
  },
  trainingFiles: (count: number) => plural(count, { one: 'training', other: 'training, # files joined' }),
  validationSet: (name: string) => `validation set “${isolated(name)}”`,
  stopReading: (name: string) => `Stop reading ${isolated(name)}`,
  readFileAgain: (name: string) => `Read ${isolated(name)} again`,
  leakage: 'Leakage',
  sharedPrompts: 'Shared prompts',
  /** Rows of one file that another has too. */
  leak: ({ rows: same, prompts, of, other, isTraining }: Leak) => {
    const name = isolated(other);
    const parts: string[] = [];
    if (same > 0)
      parts.push(
        `${rows(same)} of ${integer(of)} (${share(same, of)}) ${same === 1 ? 'is' : 'are'} also in ${name}`,
      );
    if (prompts > 0)
      parts.push(
        `${rows(prompts)} ${prompts === 1 ? 'has' : 'have'} the same prompt as a row of ${name}, with another answer`,
      );
    const meaning = isTraining
      ? `What is learned by heart here makes ${name} look better than the model is.`
      : 'The model sees these in training, so this file’s figures are too good.';
    return `${parts.join(', and ')}. ${same > 0 ? `${meaning} Take them out of one of the two.` : ''}`;
  },
  samePlace: (place: string, other: string) => `${place} is ${other}`,
  place: (unit: RecordUnit, line: number, file?: string) =>
    `${unit} ${integer(line)}${file === undefined ? '' : ` of ${isolated(file)}`}`,
  placeThere: (line: number, file?: string) =>
    `there number ${integer(line)}${file === undefined ? '' : ` of ${isolated(file)}`}`,
  inFile: (file: string | undefined, unit: RecordUnit, line: number) =>
    `${file === undefined ? '' : `${isolated(file)}, `}${unit} ${integer(line)}`,
  truncatedHeading: 'Truncated',
  truncated: ({ rows: all, tokens, truncatedRows, truncatedTokens }: Truncation, maxLength: number) =>
    `${rows(truncatedRows)} of ${integer(all)} (${share(truncatedRows, all)}) ${truncatedRows === 1 ? 'is' : 'are'} longer than max_length, ${integer(maxLength)}; ${integer(truncatedTokens)} of ${integer(tokens + truncatedTokens)} tokens (${share(truncatedTokens, tokens + truncatedTokens)}) are cut off their ends. Raise max_length to keep them.`,
  repeatedHeading: 'Repeated',
  repeated: (count: number, of: number) =>
    `${rows(count)} (${share(count, of)}) ${count === 1 ? 'says' : 'say'} what an earlier row of this file says already, and ${count === 1 ? 'counts' : 'count'} that much more.`,
  holdOutAs: 'of the training rows as a validation set (val_set_size)',
  holdOutHow: 'Which rows is by the recipe’s seed; rows that say the same are kept on one side.',
  lengths: ({ bars, binTokens, end, most, maxLength, truncatedRows }: Lengths) =>
    `Rows by length: ${bars} bars of ${integer(binTokens)} tokens up to ${integer(end)}; the highest has ${integer(most)} rows.${truncatedRows > 0 ? ` ${integer(truncatedRows)} are longer than max_length, ${integer(maxLength)}.` : ''}`,
  lengthBar: (from: number, to: number, count: number) =>
    `${integer(from)}–${integer(to)} tokens: ${rows(count)}`,
  tokensPerRow: 'tokens a row',
  lineIsMaxLength: (maxLength: number) => `; the line is max_length, ${integer(maxLength)}`,
  shownOncePlanned: (error: string | null) =>
    `The tensors are shown once the run can be planned${error ? `: ${error}` : ''}.`,
  row: 'Row',
  rowToPreview: (name: string) => `Row of ${isolated(name)} to preview`,
  microBatch: ({ step, steps, index, of, batch, rows: packed }: MicroBatch) =>
    `${turnOf(step, steps)}, micro-batch ${index + 1} of ${of}: ${integer(batch.tokens)} tokens, ${rows(packed.length)}, ${integer(batch.supervisedTokens)} tokens learned.`,
  rowLies: (place: string, from: number, to: number) => `This row (${place}) lies at ${from} to ${to}.`,
  tokensOfMicroBatch: (learned: number, tokens: number) =>
    `Tokens of the micro-batch: ${learned} of ${tokens} are learned`,
  showAllTokens: (count: number) => `Show all ${integer(count)} tokens`,
  predictsNothing: 'nothing (−100)',
  padding: 'padding',
  learned: 'learned',
  onlyRead: 'only read',
  special: 'special',
  roleOf: (name: string) => `Role of ${isolated(name)}`,
  saveMended: (name: string) => `Save ${isolated(name)} as it was mended`,
  edit: (place: string) => `Edit ${place}`,
  delete: (place: string) => `Delete ${place}`,
  textOf: (place: string) => `Text of ${place}`,
  rowsLeftOut: (count: number) => `${plural(count, { one: '# row is', other: '# rows are' })} left out`,
  leftOutOf: (file: string) => `Rows of ${isolated(file)} that are left out`,
  cannotBeEdited: (file: string) =>
    `Rows of ${isolated(file)} cannot be edited here. Convert it to JSON lines (in Python: pandas’ or datasets’ \`to_json\`), mend it and drop it again, or train without the bad rows.`,
  firstShown: (count: number) => `The first ${count} are shown.`,
  noTokenToLearn: (file: string) =>
    `${isolated(file)} has no token to learn from. Check its answers and the chat template.`,
  padIsEnd: (token: string | null) =>
    `The token ${token} both fills batches and ends answers with this model. Use a model whose pad token is another.`,
  noRowEnds: (file: string, first: string) =>
    `No row of ${isolated(file)} ends with a token that ends answers (${first} is the first): the model would never learn to stop. Use a model whose chat template closes the answer.`,
  /** @param total 0 while rows are counted */
  reading: (done: number, total: number) => {
    if (total > 0) return `Reading rows: ${integer(done)} of ${integer(total)}`;
    return done > 0 ? `Counting rows: ${integer(done)}` : 'Reading rows';
  },
  /** Follows "was stopped". */
  stoppedAt: (done: number, total: number) => {
    if (total > 0) return ` at row ${integer(done)} of ${integer(total)}`;
    return done > 0 ? ` while its rows were counted, at ${integer(done)}` : '';
  },
  distilIntro: (usual: string) =>
    `A server on this computer that speaks as OpenAI’s does can answer prompts of yours: ${usual}. This visit may connect to no such address. Allowing one loads the page again with it: drop your files after that.`,
  address: 'Address',
  distilMayAsk: (origin: string) =>
    `This visit may ask \`${origin}\`, and does so when you press a button. The prompts, with the recipe’s system prompt ahead of each, go there and nowhere else.`,
  askForAnswers: (count: number) => `Ask for ${plural(count, { one: '# answer', other: '# answers' })}`,
  answerTo: (prompt: string) => `Answer to ${isolated(prompt)}`,
  keepAsRows: (count: number) => `Keep ${count} as training rows`,
  noAddress: (address: string) => `${address} is no address. Write one such as http://localhost:11434.`,
  notOnThisComputer: (origin: string) =>
    `${origin} is not on this computer: prompts are sent nowhere else. Write http://localhost: and a port.`,
  serverHasNoModel: (origin: string) =>
    `${origin} has no model. Load one there, such as with "ollama pull", and ask again.`,
  serverGaveNoAnswer: (origin: string) =>
    `${origin} gave no answer: is it an OpenAI-compatible server, with /v1/chat/completions?`,
  answerCutOff: (tokens: number) =>
    `The answer was cut off after ${tokens} tokens. Allow more, or ask something shorter.`,
  serverRefused: (url: string, status: number, reason: string) =>
    `${url} answered ${status}: ${reason || 'no reason'}.`,
  serverNoJson: (url: string, reason: string) =>
    `${url} answered with no JSON: ${clause(reason)}. Is it an OpenAI-compatible server?`,
  serverNoCors: (origin: string, page: string) =>
    `${origin} is there and does not let this page read its answers (CORS). Ollama: start it with OLLAMA_ORIGINS=${page} in its environment. LM Studio: turn on "Enable CORS" in the server's settings. llama.cpp's server allows it by itself.`,
  serverUnreachable: (origin: string) =>
    `${origin} cannot be reached. Is the server running, at this port? A host that sends a policy of its own may forbid it too, and a browser may ask whether this page may reach devices of your network: allow it.`,
  thisPage: 'this page',
  emptyAnswers: (count: number) => `Answers that say nothing: ${integer(count)}`,
  foreignRows: (usual: string | null, count: number) =>
    `Rows in another language than ${usual ?? 'most'}: ${integer(count)}`,
  rankRowsOf: (name: string) => `Rank the rows of ${isolated(name)} by loss`,
  scoring: (done: number, total: number) =>
    `Scoring${total > 0 ? `: micro-batch ${integer(done + 1)} of ${integer(total)}` : ''}`,
  scoredRows: (ranked: number, of: number) =>
    `${integer(ranked)} of ${integer(of)} rows were scored, spread evenly over the file.`,
  leaveOutNamed: (place: string) => `Leave out ${place}`,
  notEvaluatedYet:
    'This file was not evaluated yet. Train first; the rows are ranked by the last evaluation.',
  noResultToScoreWith:
    'There is no result to score the rows with. Train first, or open a kept run of this model.',
  longestRows: 'The longest rows',
  rowsCutMost: 'Rows that are cut most',
  rankRowsByLoss: 'Rank the rows by loss',
  stopScoring: 'Stop scoring',
  highestLossToken: 'Highest loss a token',
  lowestLossToken: 'Lowest loss a token',
  leaveOut: 'Leave out',
  holdOut: 'Hold out',
  holdOutPercent: 'Percent of the training rows to hold out',
  whatColumns: 'What are its columns?',
  useTheseColumns: 'Use these columns',
  chooseDataFiles: 'Choose data files',
  dropHint:
    'Drop a training file and any number of validation files: JSON lines, a JSON array, CSV or Parquet. Names or folders that say val, valid, validation, dev, test or eval are validation sets, each with its own curve; every card says what its file is used for, and lets you change it.',
  rowsWaitForModel: 'The rows are read as soon as there is a model: its tokenizer decides how.',
  formatsRecognised: 'Formats that are recognised',
  formatOther: 'anything else with columns: you say what they are',
  useThemAgain: 'Use them all again',
  useAgain: 'Use again',
  useAgainNamed: (place: string) => `Use ${place} again`,
  leftOutElsewhere: (count: number) =>
    `${plural(count, { one: '# of them is', other: '# of them are' })} in none of these files.`,
  maskHeading: 'What is learned from one row',
  previous: 'Previous',
  next: 'Next',
  wholeMicroBatch: 'the whole micro-batch, with its other rows and padding',
  token: 'token',
  mustPredict: 'must predict',
  soItIs: 'so it is',
  specialToken: 'special token',
  distilHeading: 'Rows from the answers of another model on this computer',
  allowReload: 'Allow it and reload',
  listModels: 'List its models',
  mostTokens: 'Most tokens',
  temperature: 'Temperature',
  promptsOneLine: 'Prompts, one a line',
  answersKeep: 'Answers to keep',
  leaveItOut: 'Leave it out',
  saveThemAsFile: 'Save them as a file',
  keepText: 'Keep this text',
  readItAgain: 'Read it again',
  unknownFormatHelp:
    'This file is in none of the formats that are known by their columns. Say what its columns are; the recipe keeps it.',
  usedFor: 'used for',
  training: 'training',
  validation: 'validation',
  saveMendedFile: 'Save the mended file',
  trainWithoutBadRows: 'Train without the bad rows',
};

const recipe = {
  presets: {
    quick: {
      name: 'Quick look',
      purpose: 'Does it learn at all?',
      means:
        '40 steps with a small adapter. Shows whether the data is read as you meant it and whether the loss falls; not meant to be used.',
    },
    balanced: {
      name: 'Balanced',
      purpose: 'What most people want',
      means: 'Sees every row three times with a medium adapter and evaluates every 20 steps.',
    },
    thorough: {
      name: 'Thorough',
      purpose: 'When the result matters',
      means:
        'Sees every row five times with a large adapter and smaller steps, writes answers at every evaluation, and keeps the adapter that was best on the first validation file.',
    },
    best: {
      name: 'Best quality',
      purpose: 'When time does not matter',
      means:
        "Rank 64 on every linear layer, scaled by alpha/√r (rsLoRA), which was the best of PEFT's own comparison (51.3 % against 47.8 % at rank 32). Sees every row five times in smaller steps and keeps the adapter that was best on the first validation file.",
    },
  },
  custom: 'Custom recipe',
  groups: {
    run: 'Model and rows',
    lora: 'Adapter (LoraConfig)',
    training: 'Training (TrainingArguments)',
    evaluation: 'Evaluation',
  },
  keepLast: 'Keep the last adapter',
  keepBestBy: (metric: string, file: string) => `Keep the best by ${metric} of ${isolated(file)}`,
  dropToChoose: 'Drop a validation file to choose by it.',
  anyFileDecides: 'Any validation file can decide which adapter is kept.',
  patienceHelp: 'Evaluations without a better value before the run stops; 0: it never stops early.',
  copied: 'Copied.',
  copyThisLink: 'Copy this link.',
  linkHolds:
    'It holds the recipe and its system prompt, not the data nor the names of your files, and opening it sends nothing to a server.',
  notJson: (reason: string) => `This is not JSON: ${reason}`,
  scoringHelp:
    'A list: a type (exact_match, number_equals, regex, json_schema, length, contains), or your own JavaScript as `code`: (answer, reference, row) => a number. It runs without page, network and clock.',
  linkTooLong: (size: number, most: number) =>
    `This recipe is too long for a link (${integer(size)} bytes, at most ${integer(most)}). Shorten the system prompt, or send recipe.json instead.`,
  linkUnreadable:
    'The recipe in this link cannot be read: the link was cut off or changed. Ask for the link again.',
  foreignNotes: "This recipe is another program's. What you should know of it:",
  notes: 'Notes on the recipe',
  startFrom: 'Start from',
  noPreset: 'This recipe is none of these.',
  noSystemMessage: 'No system message',
  advanced: 'Advanced: every other key, by the names of PEFT and transformers',
  loadRecipe: 'Load a recipe',
  saveRecipe: 'Save the recipe',
  shareAsLink: 'Share as a link',
  linkToRecipe: 'Link to this recipe',
};

/** What each key of a recipe is for. */
const recipeHelp = {
  num_train_epochs: 'How often every row is seen.',
  learning_rate: 'Size of a step; 1e-4 to 5e-4 suits most.',
  per_device_train_batch_size: 'Rows in one step, times gradient_accumulation_steps.',
  r: 'Rank of the adapter: how much it can learn.',
  lora_alpha: 'The adapter is scaled by this over r; often twice r.',
  max_length: 'Longest row in tokens; more is cut off.',
  method:
    'sft copies answers; dpo, ipo, simpo and orpo learn from chosen and rejected ones, kto from labels, grpo from rewards of answers that it samples.',
  quantization:
    'How the base weights are kept; decided when a model is dropped. gguf: the blocks of a .gguf as they are.',
  system_prompt: 'What stands ahead of every row that has no system message of its own.',
  date_string: "Today's date for templates that print one.",
  mask_history: 'Of conversations, learn from the last answer only.',
  lora_dropout: "Share of the adapter's input dropped while training.",
  use_dora: 'DoRA: learns the length of each output apart; slower, often better.',
  use_rslora: 'Scale by alpha/√r instead of alpha/r.',
  eval_strategy: 'When validation files are evaluated: every eval_steps, after each epoch, or never.',
  eval_steps: 'Steps between evaluations.',
  predict_with_generate: 'Also generate answers at each evaluation.',
  eval_max_samples: 'Rows a file to generate for.',
  max_new_tokens: 'Longest generated answer.',
  do_sample: 'Sample the next token; off: always take the most probable one.',
  temperature: 'Lower is more predictable.',
  top_p: 'Sample from the most probable tokens that add up to this share.',
  early_stopping_threshold: 'How much better counts as better, for early stopping.',
  load_best_model_at_end: 'Hand out the best adapter, not the last.',
  eval_on_start: 'Evaluate before the first step.',
  forgetting_threshold:
    'Name a validation file whose loss rises this far above its start (0.1 is about 10 % more perplexity); empty: never.',
  beta: 'Preference methods: how closely to keep to the base model.',
  label_smoothing: 'dpo and simpo: share of pairs whose order may be wrong.',
  simpo_gamma: 'simpo: the margin to reach.',
  desirable_weight: 'kto: weight of wanted answers.',
  undesirable_weight: 'kto: weight of unwanted answers.',
  num_generations: 'grpo: answers sampled to each prompt.',
  max_completion_length: 'grpo: longest sampled answer in tokens.',
  num_iterations: 'grpo: steps made with the same answers.',
  epsilon: 'grpo: how far a ratio may move from 1.',
  scale_rewards: 'grpo: by whose deviation rewards are divided.',
  mask_truncated_completions: 'grpo: learn nothing from answers that were cut off.',
  use_bias_correction_kl: 'grpo with a beta: multiply the divergence by the ratio, as TRL does by default.',
  packing: 'Count bins of max_length tokens as rows, as TRL does with bfd.',
  max_steps: 'Stop after so many steps; -1: by epochs.',
  gradient_accumulation_steps: 'Multiplies the rows in one step.',
  lr_scheduler_type: 'How the learning rate falls.',
  warmup_ratio: 'Share of steps in which it rises first.',
  warmup_steps: 'Steps of warm-up; 0: by the ratio.',
  weight_decay: 'Pull of the adapter towards zero.',
  max_grad_norm: 'Longer gradients are cut to this; 0: never.',
  loraplus_lr_ratio: 'LoRA+: learning rate of B over that of A.',
  adam_beta1: 'AdamW: how long the mean of gradients is remembered.',
  adam_beta2: 'AdamW: the same of their squares.',
  adam_epsilon: 'AdamW: keeps its divisor from 0.',
  label_smoothing_factor: 'sft: share of each label spread over the vocabulary.',
  neftune_noise_alpha: 'NEFTune: noise on the embeddings, 5 to 15; empty: none.',
  group_by_length: 'Steps of rows of similar lengths.',
  seed: 'The same seed gives the same adapter.',
  gradient_checkpointing: 'Recompute layers to save memory: as few as it takes.',
  activation_dtype:
    'How values wait for the backward pass. e6m9: in 16 bits; auto: so where memory is short and the level is f16 or matrix.',
  head_dtype:
    'How an untied output head lies on the GPU. q8_0: in 8 bits, which rounds logits; auto: so only where gpu_memory_limit_gib cannot be kept otherwise.',
  gpu_memory_limit_gib: 'GPU memory to fit into, GiB; empty: 2. More is faster.',
};

const store = {
  verifying: (name: string) => `Verifying ${isolated(name)}`,
  whole: (name: string) => `${isolated(name)}: all of it is as it was stored.`,
  damaged: (name: string, [first, ...others]: readonly string[]) => {
    const more = plural(others.length, { one: '# more tensor', other: '# more tensors' });
    const where = others.length === 0 ? first : `${first} and ${more}`;
    return `${isolated(name)} is damaged in ${where}. Drop or download its files again: what is damaged is then replaced.`;
  },
  writing: (name: string) => `Writing ${isolated(name)}`,
  holdsModel: (file: string) =>
    `${isolated(file)} holds the model. Drop it under Model, here or elsewhere, to have it back.`,
  asking: 'Asking the browser',
  keeps: 'The browser keeps it until you delete it.',
  noPromise:
    'The browser did not promise it. Chrome and Edge do so for pages that are installed, bookmarked or used often; Firefox asks. Until then, save what matters as files.',
  used: (used: number, quota: number) =>
    `${bytes(used)} of ${bytes(quota)} that this browser offers the page.`,
  persisted: 'The browser keeps it until you delete it, or clear the data of this site.',
  mayBeCleared:
    'The browser may clear all of it when the disk is nearly full; Safari does so after seven days without a visit.',
  model: 'model',
  unfinished: 'model, import unfinished',
  verifyNamed: (name: string) => `Verify ${isolated(name)}`,
  saveNamed: (name: string) => `Save ${isolated(name)} as a file`,
  runOn: (file: string, model: string) => `${isolated(file)} on ${isolated(model)}`,
  run: (step: number, of: number, checkpoint: number | null) =>
    `run, step ${step} of ${of}${checkpoint === null ? '' : `, checkpoint of step ${checkpoint}`}`,
  heading: 'Stored in this browser',
  askToKeep: 'Ask the browser to keep it',
  name: 'name',
  size: 'size',
  actions: 'actions',
  verify: 'Verify',
  saveAsFile: 'Save as a file',
  whereDeleted:
    'Models are deleted under Model; runs are deleted, exported and moved to another computer under History.',
  nothingYet: 'Nothing yet: models that you drop or download, and every run, are kept here.',
};

const gpu = {
  correct: 'computes correctly',
  wrong: 'computes wrong numbers',
  cases: (done: number, total: number) => `${done} of ${total} cases`,
  agreesOn: (device: string) =>
    `On **${device}** every kernel agrees with TensorFlow.js to float32 accuracy. What is trained here is what the recipe says.`,
  differsOn: (device: string) =>
    `On **${device}** some kernels do not agree with TensorFlow.js. Do not trust a run here: update the graphics driver and the browser, then check again.`,
  agrees: 'agrees',
  differs: 'differs',
  failed: 'failed',
  measuredIn: (adapter: string, seconds: number) => `${adapter}, measured in ${fixed(seconds, 0)} s.`,
  tableCopied: 'Table copied',
  copyMarkdown: 'Copy as Markdown',
  noDriver: 'This browser offers no WebGPU: there is no driver to ask.',
  verdicts: { fits: 'Fits', tight: 'Tight', no: 'Will not fit', unknown: 'Not known' },
  memoryParts: {
    weights: 'base weights',
    adapter: 'adapter',
    optimizer: 'gradients and optimiser',
    activations: 'activations',
    kvCache: 'KV cache of generated answers',
    batch: 'batch and tables',
  },
  plannedMemory: (total: number, isEstimate: boolean) =>
    `${bytes(total)} of GPU memory, planned to the byte${isEstimate ? ' (here an estimate)' : ''}.`,
  thisGpuHas: 'This GPU has',
  askingDriver: 'Asking the driver',
  askDriver: 'Ask the driver for it',
  remedyCosts: (total: number, verdict: 'fits' | 'tight' | 'no' | 'unknown', cost: string) =>
    `${bytes(total)}: ${{ fits: 'fits', tight: 'tight', no: 'will not fit', unknown: 'not known' }[verdict]}; ${cost}`,
  grantedLess: (granted: number, asked: number) =>
    `The driver granted ${bytes(granted)} and no more when it was asked for ${bytes(asked)}.`,
  shareOfNamed: (part: number, known: number) =>
    `${Math.round(100 * part)} % of the ${bytes(known)} that you named; windows, other tabs and other programs need the rest.`,
  granted: (granted: number) =>
    `The driver granted ${bytes(granted)} when it was asked. Some drivers lend slower system memory without saying so: name the GPU's memory to be sure.`,
  nearlyEvery: 'Nearly every GPU has that much. Browsers do not say how much this one has.',
  unknownMemory: 'Browsers do not say how much memory a GPU has. Name it, or let the driver be asked.',
  costs: {
    checkpointing: 'about a third slower, the same numbers',
    smallerPieces: 'the same steps in smaller pieces, slower',
    cuts: (cut: number, of: number) =>
      cut === 0 ? 'cuts no training row' : `cuts ${integer(cut)} of ${integer(of)} rows`,
    fewerAnswers: 'fewer answers at once',
    smallerAdapter: 'a smaller adapter',
    roundedHead: 'logits rounded by an output head of 8 bits',
  },
  heading: 'This GPU',
  checkIntro:
    'A graphics driver can compute wrong numbers without an error message. This runs every kernel of the trainer, forward and gradient, on small inputs on this GPU, and compares each number with TensorFlow.js, an independent implementation, on the same device. It takes about a minute and trains nothing.',
  checkGpu: 'Check this GPU',
  check: 'Check',
  differenceHelp:
    'The difference is the largest one over the largest value of the tensor. Sums in another order differ by about 1e-7 to 1e-5; a wrong kernel by 1e-2 or more.',
  kernel: 'kernel',
  tensorsCompared: 'tensors compared',
  largestDifference: 'largest difference',
  allowed: 'allowed',
  verdict: 'verdict',
  speedIntro:
    'How fast this GPU trains: one document of 512 tokens a step, LoRA r 16 on a 4-bit base of random weights, at the shapes of three models. It takes about half a minute, downloads nothing and sends nothing. What there was no time for the first time is measured when you press again: the kernels are compiled by then.',
  measureGpu: 'Measure this GPU',
  measurement: 'Measurement',
  speedGpu: 'Speed of this GPU',
  model: 'model',
  arithmetic: 'arithmetic',
  tokensSecond: 'tokens a second',
  gpuMemory: 'GPU memory',
  tableAsMarkdown: 'The table as Markdown',
  memoryByPart: 'GPU memory of this run by part',
  together: 'together',
  memoryInGib: 'Memory of this GPU in GiB',
  whatNeedsLess: 'What would need less memory',
  planningOtherRecipes: 'Planning other recipes',
  nothingSmaller: 'Nothing in the recipe makes this run smaller: use a smaller model.',
};

const errors = {
  detailsCopied: 'Details copied',
  copyDetails: 'Copy details',
  /** @param message about a row or a file, as the data path writes it */
  ofRow: (message: string) => message,
  /** @param message of an error, as what lies below the page writes it; what has no translation stays */
  shown: (message: string) => message,
  detailsOfError: 'Details of the error',
};

const classroom = {
  withAClass:
    'With a class: `npm run classroom -- class.finetab` on your computer hands this page and a bundle out on the local network, without the internet, and shows a board with every student. `docs/classroom.md` has a lesson of 45 minutes, one of 90, and a worksheet.',
  choices: { a: 'A is better', tie: 'No difference', b: 'B is better' },
  emptyAnswer: '(an empty answer)',
  yourVote: (choice: string) => `Your vote: ${choice}. The board shows the result.`,
  aModel: 'a model',
  aTrainingFile: 'a training file',
  aRecipe: 'a recipe without a fault',
  bundleNeeds: (missing: string) => `A bundle needs ${missing} first.`,
  bundleHolds: (model: string, modelBytes: number, dataBytes: number) =>
    `${isolated(model)} as it is stored here (${bytes(modelBytes)}), the recipe, the data files (${bytes(dataBytes)}) and a lesson. Whoever gets the file has your rows.`,
  writing: 'Writing…',
  saveBundle: 'Save as a bundle',
  classBundle: "the class's bundle",
  joining: 'Joining',
  leaving: 'Leaving',
  sendingAdapter: 'Sending the adapter',
  adapterSent: (size: number) => `The adapter was sent (${bytes(size)}).`,
  voting: 'Voting',
  fetchingBlend: 'Fetching the blend',
  answering: "Answering the teacher's prompts",
  opening: (name: string) => `Opening ${isolated(name)}`,
  /** What a student's page sends. */
  sends: ({ loss, answers }: { loss: boolean; answers: boolean }) =>
    ['name', ...(loss ? ['losses'] : []), ...(answers ? ["answers to the teacher's prompts"] : [])].join(
      ', ',
    ),
  sentWhenPressed: (host: string, what: string) =>
    `Sent to ${host} when you press: ${what}. An adapter is sent only by a button of its own, later.`,
  inClassAs: (name: string) => `In the class as ${isolated(name)}`,
  boardSees: (what: string) => `The board sees your ${what}.`,
  foreignBundle: (host: string) =>
    `This page opens bundles from its own host or from this computer only, not from ${host}. Download the file there and drop it here.`,
  teacherSilent:
    "The teacher's computer does not answer. Is it still in the same network? This page tries again by itself.",
  noClassHere: (status: number) =>
    `This address has no class (the server answered ${status}). Check the address on the board.`,
  headToHead: 'Head to head',
  whichAnswerBetter: 'Which answer is better?',
  chooseBundle: 'Choose a bundle',
  dropHint:
    'Drop a .finetab file: model, tokenizer, recipe, data and lesson in one. It opens without a network, and every part of it is checked.',
  makeOne: 'Make one of what is on this page',
  title: 'Title',
  titleExample: 'Class 9b, pirates',
  lessonField: 'Lesson, in Markdown; it may stay empty',
  classroom: 'Classroom',
  class: 'Class',
  youAreInClass: 'You are in a class',
  joinIntro:
    "Model and data come from your teacher's computer, and the training happens on yours. Nothing of what you do is sent unless you join and tick it here.",
  codeField: 'Code, as on the board',
  nameField: 'Your name, as the board shows it',
  mayBoardSee: 'May the board also see',
  myLossesWhileTrains: 'my losses while it trains',
  myAnswersToPrompts: "my model's answers to the teacher's prompts",
  join: 'Join',
  onlyOpenBundle: 'Only open the bundle',
  leave: 'Leave',
  whatBoardSees: 'What the board sees',
  myLosses: 'my losses',
  myModelsAnswers: "my model's answers",
  teachersPrompts: "The teacher's prompts",
  sendMyAdapter: 'Send my adapter',
  tryBlend: "Try the class's blend",
};

/** The teacher's board. */
const board = {
  title: 'Board',
  mostPrompts: (most: number) => `${most} prompts are the most: take one away first.`,
  answered: (answers: number, students: number) => `${answers} of ${students} answered`,
  takeAwayNamed: (prompt: string) => `Take away: ${isolated(prompt)}`,
  adapters: (count: number) => plural(count, { one: '# adapter', other: '# adapters' }),
  sum: (sum: number, handedOut: number) =>
    `Sum ${fixed(sum, 2)}${handedOut > 0 ? `; handed out: ${handedOut}` : ''}`,
  classHasBlend: (shares: string) => `The class has the blend: ${shares}.`,
  voted: (votes: number) => `${votes} voted`,
  ties: (ties: number) => `No difference: ${ties}`,
  nextMatch: 'Next match',
  beginMatch: 'Begin a match',
  joined: (count: number) => `${count} joined`,
  states: {
    ready: 'ready',
    training: 'training',
    done: 'done',
    away: 'no sign for 20 s',
    left: 'left',
  },
  saveAdapterOf: (name: string) => `Save the adapter of ${isolated(name)}`,
  promptsAnswers: 'Prompts and answers',
  askEvery: 'Ask every model of the class',
  promptExample: 'Who are you?',
  ask: 'Ask',
  takeAway: 'Take away',
  blend: 'Blend',
  noAdapters: 'Adapters that students send appear here and can be blended into one.',
  blendIntro:
    "As PEFT's add_weighted_adapter does it, linear: a rough blend of matrices. All have to have one rank and the same modules; DoRA and rank-stabilised adapters are refused.",
  evenWeights: 'Even weights',
  saveBlend: 'Save the blend',
  giveToClass: 'Give it to the class',
  code: 'Code',
  qrCode: "QR code of the class's address",
  headToHead: 'Head to head',
  countVotes: 'Count and show names',
  noMatchYet:
    'A prompt that two models have answered can be voted on: the class sees both answers without names.',
  matchPrompt: 'Prompt of the match',
  tally: 'Tally',
  name: 'Name',
  won: 'Won',
  lost: 'Lost',
  drawn: 'Drawn',
  students: 'Students',
  nobodyYet: 'Nobody yet. Students open the address above, or point a camera at the code.',
  state: 'State',
  step: 'Step',
  loss: 'Loss',
  adapter: 'Adapter',
};

const model = {
  goodAt: {
    'Qwen/Qwen3-8B': 'hard reasoning, code, tools, about a hundred languages',
    'meta-llama/Llama-3.1-8B-Instruct': 'general assistant, long answers, eight languages',
    'Qwen/Qwen2.5-7B-Instruct': 'general assistant, structured answers (JSON, tables), 29 languages',
    'Qwen/Qwen3-4B': 'reasoning and code at half the size of 8B; tools; about a hundred languages',
    'microsoft/Phi-4-mini-instruct': 'mathematics and logic in English; short factual answers',
    'meta-llama/Llama-3.2-3B-Instruct': 'general assistant, summaries, rewriting',
    'HuggingFaceTB/SmolLM3-3B':
      'general assistant with or without reasoning, six European languages; its training is fully open',
    'ibm-granite/granite-3.3-2b-instruct': 'business text: summaries, extraction, questions over documents',
    'Qwen/Qwen3-1.7B': 'the best of its size for reasoning and code; many languages',
    'HuggingFaceTB/SmolLM2-1.7B-Instruct': 'English: rewriting, summaries, instructions',
    'Qwen/Qwen2.5-1.5B-Instruct': 'structured answers and many languages at a small size',
    'allenai/OLMo-2-0425-1B-Instruct':
      'English; data, code and every checkpoint are open: for teaching and research',
    'meta-llama/Llama-3.2-1B-Instruct': 'short summaries, rewriting, classification',
    'LiquidAI/LFM2-1.2B': 'quick answers on weak hardware: extraction, classification, eight languages',
    'google/gemma-3-1b-it': 'short answers in many languages; a large vocabulary',
    'Qwen/Qwen3-0.6B': 'one narrow task learned well: extraction, classification, formatting; many languages',
    'Qwen/Qwen2.5-0.5B-Instruct': 'one narrow task learned well; JSON answers',
    'HuggingFaceTB/SmolLM2-360M-Instruct': 'English; one narrow task, for weak GPUs',
    'LiquidAI/LFM2-350M': 'extraction and short answers on the weakest GPUs',
    'google/gemma-3-270m-it': 'following a fixed form: tags, routing, extraction',
    'HuggingFaceTB/SmolLM2-135M-Instruct':
      'to try things out: trains in minutes on nearly any GPU, and in a class on thirty laptops',
  },
  weights: { nf4: '4-bit (NF4)', none: 'unquantised', gguf: "the GGUF's own blocks" },
  fetchingDemo: 'Fetching the demo',
  storingDemo: 'Storing the model and reading the data',
  hubFacts: (id: string, size: number, host: string, licence: string | null) =>
    `${id}: ${bytes(size)} to download from ${host}; licence: ${licence ?? 'none is named'}.`,
  tokenField: (host: string) => `Access token, sent to ${host} with this download and kept nowhere`,
  figures: {
    parameters: 'Parameters',
    kind: 'Architecture',
    weights: 'Weights',
    stored: 'Stored',
    gpuMemory: 'GPU memory, least',
    licence: 'Licence',
  },
  licenceNotKnown: 'not known',
  gatedLicence: (licence: string) => `${licence} (gated)`,
  getNamed: ({ id, gated, downloadBytes }: CatalogueFigures) =>
    gated ? `Choose ${id}` : `Download ${id}, ${bytes(downloadBytes)}`,
  downloadSize: (size: string) => `Download ${size}`,
  importedPercent: (percent: number) => `Importing, ${percent} %`,
  isStored: 'Stored in this browser',
  isChosen: 'Chosen',
  useShort: 'Use',
  filter: 'Filter models',
  filterHint: 'Filter: name, licence, task',
  found: (count: number, of: number) => `${integer(count)} of ${integer(of)} models`,
  noneFound:
    'No model of this list has all of these words. Any other one of the Hub can be downloaded by its name, above.',
  showAll: (count: number) => `Show all ${integer(count)} models`,
  yourOwn: 'Bring a model',
  choose: 'Choose',
  facts: ({ modelType, parameters, layers, vocabularySize, quantization, storedBytes }: ModelFacts) =>
    `${modelType}, ${compact(parameters)} parameters, ${layers} layers, ${integer(vocabularySize)} tokens in its vocabulary. Stored as ${model.weights[quantization]}, ${bytes(storedBytes)}.`,
  unusedTensors: (names: readonly string[]) =>
    `Not used by this architecture: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}.`,
  unusedDropout: (keys: readonly string[]) =>
    `Trained without the dropout that config.json asks of transformers: ${keys.join(', ')}. lora_dropout is the adapter's own.`,
  unverified: (files: readonly string[]) =>
    `Not verified, because the hub that they came from lists no hash of them: ${files.join(', ')}.`,
  importing: ({ name, done, total }: Importing) =>
    `Importing ${isolated(name)}: ${total === 0 ? 'reading what its files hold' : `${bytes(done)} of ${bytes(total)}`}`,
  unfinished: 'import unfinished: drop its files, or download it, again',
  use: (name: string) => `Use ${isolated(name)}`,
  storageUsed: ({ usedBytes, quotaBytes, persisted }: StorageUse) =>
    `${bytes(usedBytes)} of ${bytes(quotaBytes)} of browser storage used${persisted ? ', kept until you delete it' : '; the browser may clear it when disk space runs out'}.`,
  reasons: {
    storage: 'more than the browser may still store',
    recipe: 'more GPU memory than the recipe allows',
    gpu: 'more GPU memory than there is',
    tight: 'tight',
    unknown: 'how much memory this GPU has is not known',
    notPlanned: 'known once it is chosen and there is data to plan with',
  },
  demoOffline: (file: string) =>
    `The demo's ${file} could not be fetched: there is no connection, and this browser has not kept the demo from an earlier visit. Connect, then press again.`,
  demoMissing: (file: string, status: number) =>
    `The demo's ${file} could not be fetched: the server answered ${status}. The folder demo/ has to lie beside the page.`,
  hubField: 'Or download one from the Hugging Face Hub',
  hubExample: 'owner/name, or the address of its page',
  download: 'Download',
  showFacts: 'Show size and licence',
  gated: 'Gated model? Use an access token',
  catalogue: 'Models to begin with',
  catalogueHelp:
    'What fits comes first, and of that the best. GPU memory is the least that a run takes: 4-bit weights, r 16 on all linear layers, rows no longer than max_length, layers recomputed.',
  import: 'Import',
  cancelImport: 'Cancel the import',
  chooseModelFiles: 'Choose model files',
  chooseModelFolder: 'Choose a model folder',
  dropHint:
    "Drop the folder of a model from the Hugging Face Hub: config.json, the tokenizer's files and the safetensors. Or one GGUF file, or a .finetab bundle.",
  inThisBrowser: 'In this browser',
  demo: 'Demo',
  newHere: 'New here?',
  demoIntro:
    'A small model comes with the page, and trains in a minute or two, even without a graphics card.',
  demoRows:
    'Teach it to speak like a pirate: see what it learns from, how the loss of each file falls, and its answers before and after.',
  demoRewards:
    'Or show it no answers at all: it tries sums in words that it does not know, hears which answers were right, and finds out.',
  tryDemo: 'Try it with the demo',
  watchRewards: 'Watch it learn by rewards',
};

/** Metrics of evaluations and steps, by their keys in metrics.jsonl. */
const metrics = {
  loss: 'loss',
  perplexity: 'perplexity',
  token_accuracy: 'token accuracy',
  rouge1: 'ROUGE-1',
  rouge2: 'ROUGE-2',
  rougeL: 'ROUGE-L',
  rougeLsum: 'ROUGE-Lsum',
  bleu: 'BLEU',
  chrf: 'chrF',
  exact_match: 'exact match',
  mean_generated_length: 'mean generated length in tokens',
  gen_len: 'mean generated length in characters',
  stopped_share: 'share that stopped by itself',
  'rewards/accuracies': 'share of pairs in the right order',
  'rewards/margins': 'margin of rewards',
  'rewards/chosen': 'reward of wanted answers',
  'rewards/rejected': 'reward of unwanted answers',
  'logps/chosen': 'log-probability of wanted answers',
  'logps/rejected': 'log-probability of unwanted answers',
  kl: 'divergence from the base',
  nll_loss: 'negative log-likelihood of wanted answers',
};

const run = {
  planned: (device: string, steps: number, tokens: number) =>
    `On **${device}**: ${integer(steps)} steps, in micro-batches of ${integer(tokens)} tokens.`,
  kernels: 'Kernels',
  kernelChoice: (choice: KernelChoice) => kernelText(choice),
  measuredNow: 'It is being measured now.',
  measuredLater: 'It is measured when the run starts, which takes about a second.',
  tuneOff: "With `?tune=off` in the page's address the kernels are float32 and nothing is measured.",
  goesOnFrom: (name: string) => `The run goes on from the adapter **${isolated(name)}**.`,
  unfinished: ({ modelName, trainFile, resumableStep, totalSteps, startedAt }: UnfinishedRun) =>
    `An unfinished run on ${isolated(modelName)} with ${isolated(trainFile)} was saved at step ${resumableStep} of ${totalSteps} (${dateAndTime(startedAt)}).`,
  resumeFrom: (step: number) => `Resume from step ${step}`,
  /** What is computed again so that a run fits. */
  recomputed: (choice: MemoryChoice) => {
    const { none, cheap, attention, full, packed, headInQ8_0, reason } = choice;
    const parts = [
      [none, 'kept whole'],
      [cheap, 'with norms and gated products recomputed'],
      [attention, 'with queries, keys and values recomputed'],
      [full, 'recomputed'],
    ] as const;
    const layers = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    const storage = packed ? '; what waits for the backward pass has 16 bits' : '';
    const head = headInQ8_0
      ? '; the output head has 8 bits, each weight within 0.45 % of the largest of its 32'
      : '';
    return `Layers: ${layers.join(', ')}${storage}${head} (${reason}).`;
  },
  /** What happens before the first step. */
  preparing: ({ phase, done, total }: EngineProgress) => {
    switch (phase) {
      case 'measuring':
        return 'Measuring which kernels are fastest on this GPU';
      case 'weights':
        return `Loading weights, ${Math.round((100 * done) / total)} %`;
      case 'pipelines':
        return `Compiling ${done} of ${total} shaders`;
    }
  },
  tooLong: (longest: number, positions: number, isSampled: boolean) =>
    `The longest row has ${integer(longest)} tokens${isSampled ? ', max_completion_length among them' : ''}, but this model knows ${integer(positions)} positions. Lower max_length to ${positions}.`,
  modelNotStored: (name: string) =>
    `${isolated(name)} is not stored in this browser any more. Drop its files first.`,
  chooseAdaptersModel:
    'Choose the model that the adapter belongs to first: the adapter is checked against it.',
  noRoom: (free: number, needed: number) =>
    `The browser has ${bytes(free)} of storage left, and this run's checkpoints need ${bytes(needed)}: it can be trained and downloaded, but not kept or resumed after a reload. Delete a stored model or a run first.`,
  noteAt: (step: number, text: string) => `step ${step}: ${isolated(text)}`,
  notSaved: (reason: string) => `The last checkpoint could not be stored. ${reason}`,
  evaluationFailed: (name: string, reason: string) =>
    `${isolated(name)} could not be evaluated: ${clause(reason)}. The other files and the training go on.`,
  starting: 'Starting',
  forgetting: (trend: LossTrend) => forgettingText(trend),
  stoppingAfter: (step: number) => `Stopping after step ${step}`,
  pausedAt: (step: number) => `Paused at step ${step}`,
  trainingStep: (step: number, of: number) => `Training, step ${step} of ${of}`,
  evaluatingAt: (step: number, names: readonly string[]) =>
    `Evaluating at step ${step}${names.length > 0 ? `: ${names.map(isolated).join(', ')}` : ''}`,
  ends: {
    finished: 'Finished',
    stopped: 'Stopped; the adapter is kept as it was at that step',
    'early stopping': 'Stopped early: the chosen metric no longer improved',
    diverged: 'Stopped because the numbers diverged; the adapter is the last good one',
  },
  failed: 'Failed',
  scoringReference: (done: number, total: number) =>
    `Scoring the answers by the base model: ${done} of ${total} batches`,
  openingGpu: 'Opening the GPU again',
  deviceLost: (message: string, step: number) => `${message} The run goes on from step ${step} by itself.`,
  workerRestarted: (name: string, step: number, message: string) =>
    `The worker of ${isolated(name)} ended at step ${step}: ${clause(message)}. It was started again and reads its file again; the training and the other files go on.`,
  promptOfLine: (line: number) => `Prompt (line ${line})`,
  answersOfStep: (step: number) => `Answers of step ${step}`,
  cutOff: 'cut off',
  dropModel: 'Drop a model first.',
  otherQuantization: (wanted: string, stored: string) =>
    `The recipe asks for quantization "${wanted}", the stored model is "${stored}". Drop the model's files again, or change the recipe.`,
  chooseRunFile: (path: string) =>
    `The recipe goes on with the run file ${isolated(path)} (resume_from_checkpoint), which a page cannot open by its path. Choose it under History and press Resume there, or remove the key.`,
  chooseAdapter: (path: string) =>
    `The recipe goes on from the adapter ${isolated(path)} (adapter_name_or_path), which a page cannot open by its path. Choose its files under History, or remove the key.`,
  workerDiedAgain: (message: string) => `its worker died again: ${message}`,
  workerNotRestarted: (message: string, reason: string) =>
    `its worker died (${message}) and could not be started again: ${reason}`,
  couldNotBeRead: (name: string) => `${isolated(name)} could not be read.`,
  trainerCrashed: (reason: string) =>
    `The trainer crashed: ${clause(reason)}. The run is kept as it was at its last checkpoint: press Resume.`,
  rewardsCurve: 'rewards',
  logProbabilitiesCurve: 'log-probabilities of answers',
  meanReward: 'mean reward',
  answerLength: 'length of answers in tokens',
  beforeStart: 'Before the start',
  fallback:
    'This browser offers no WebGPU, so a slow substitute is used and the figures are estimates. Use a current Chrome, Edge or Safari with hardware acceleration on.',
  whatIsRecomputed: 'What is recomputed',
  whatIsMissing: 'What is missing',
  startFromScratch: 'Start from scratch',
  train: 'Train',
  chooseToResume: 'Choose that model and drop its data files to go on.',
  discard: 'Discard it',
  forgettingHeading: 'Forgetting.',
  training: 'Training',
  step: 'step',
  trainingLoss: 'training loss',
  tokensPerSecond: 'tokens/s',
  timeLeft: 'time left',
  savedAtStep: 'saved at step',
  continue: 'Continue',
  pause: 'Pause',
  stopAndKeep: 'Stop and keep the adapter',
  mayILeave: 'May I leave this tab?',
  mayILeaveHelp:
    'Yes: another tab or window may lie over it. The training runs in a worker of its own, which browsers do not slow down as they slow down the timers of hidden pages, and this page holds a lock that keeps browsers from freezing it. Only these curves stop being drawn until you come back. While the tab is in sight the screen stays on, where the browser allows it; in a hidden tab the computer may fall asleep by its own settings. Sleep, a closed lid or a closed tab stop the run; it goes on from the last saved step.',
  note: 'Note on this run',
  noteExample: 'What you see, and want to remember',
  add: 'Add',
  trainAgain: 'Train again',
  sampledAnswers: 'Sampled answers',
  stepField: 'Step',
  previousPrompt: 'Previous prompt',
  nextPrompt: 'Next prompt',
  reference: 'Reference',
  answer: 'Answer',
  reward: 'Reward',
  advantage: 'Advantage',
  tokens: 'Tokens',
  empty: '(empty)',
};

const result = {
  workerEnded: (name: string, message: string) => `The worker of ${isolated(name)} ended: ${message}`,
  step: (step: number) => `step ${step}`,
  question: (line: number) => `Question (line ${line})`,
  answerAt: (step: number, { exactMatch, rougeL, tokens, stopped }: AnswerFigures) =>
    `Answer at step ${step}: ${exactMatch ? 'the reference itself' : `ROUGE-L ${fixed(rougeL, 0)}`}, ${tokens} tokens${stopped ? '' : ', cut off at max_new_tokens'}`,
  emptyAnswer: '(an empty answer)',
  answersOf: (name: string) => `Answers of ${isolated(name)}`,
  beforeTraining: 'before training',
  atStep: (step: number) => `at step ${step}`,
  after: 'after',
  samplingFault: 'max_new_tokens and temperature must be positive, top_p between 0 and 1.',
  adapterScale: 'Adapter scale',
  greedy: 'Greedy: always the most probable token',
  baseModel: 'Base model',
  tuned: (percent: number) => (percent === 100 ? 'Tuned' : `Tuned, ${percent} % of the adapter`),
  writing: (who: string) => `${who}, writing`,
  written: (who: string, tokens: number, ended: AnswerEnd) =>
    `${who} · ${tokens} tokens${ended === 'length' ? ', cut at max_new_tokens' : ended === 'stopped' ? ', stopped' : ''}`,
  you: 'You',
  baseAnswer: (place: number) => `Base answer ${place}`,
  tunedAnswer: (place: number) => `Tuned answer ${place}`,
  baseNotAsked: 'Base model: not asked',
  otherAnswer: (place: number) => `Answer ${place} of the other adapter`,
  otherNotAsked: 'Other adapter: not asked',
  otherAdapter: 'Other adapter',
  compareWith: 'Another adapter beside it',
  noOther: 'none',
  earlierSteps: 'Earlier steps of this run',
  otherRuns: 'Other runs with this model',
  adapterOf: (name: string, step: number, startedAt: string) =>
    `${isolated(name)}, step ${step} (${dateAndTime(startedAt)})`,
  keptPrompts: 'Questions that were asked before',
  forgetPrompt: (question: string) => `Forget the question: ${isolated(question)}`,
  tunedNoAnswer: 'Tuned: no answer',
  evaluateOn: (names: readonly string[]) => `Evaluate on ${names.map(isolated).join(', ')}`,
  /** How a blind test ended. */
  verdict: ({ tuned, base, tie, chance }: Tally, opponent: string | null) => {
    const other = opponent === null ? 'base' : 'other adapter';
    if (tuned + base === 0) return `All ${tie} are ties.`;
    const ties = tie === 0 ? '' : `, ${plural(tie, { one: '# tie', other: '# ties' })}`;
    const winner =
      tuned === base
        ? 'Neither is ahead'
        : tuned > base
          ? 'The tuned model is ahead'
          : opponent === null
            ? 'The base model is ahead'
            : `The other adapter (${isolated(opponent)}) is ahead`;
    const luck =
      chance > 0.05 ? 'that could be chance: vote on more rows to be sure' : 'that is hardly chance';
    return `${winner}: tuned ${tuned}, ${other} ${base}${ties}. Without any difference, votes at least so uneven come up ${Math.round(100 * chance)} % of the time; ${luck}.`;
  },
  startAgain: 'Start again',
  start: 'Start',
  dropToCompare:
    'Drop a validation file in step 2: its rows are answered by this adapter and by the base model or another adapter, and you say which answer is better without knowing whose it is.',
  chooseToCompare:
    'Choose the model of this run in step 1 and drop a validation file in step 2 to compare answers blind.',
  bothAnswered: (rowsDone: number, of: number) =>
    `Both have answered ${rowsDone} of ${of} rows. You can vote meanwhile.`,
  ballotRow: (place: number, of: number, set: string, line: number) =>
    `Row ${place} of ${of} of “${isolated(set)}”, line ${line}`,
  answerSide: (side: 'A' | 'B') => `Answer ${side}`,
  isBetter: (side: 'A' | 'B') => `${side} is better`,
  tie: 'Tie',
  votesOn: (set: string) => `Votes on “${isolated(set)}”`,
  votes: { tuned: 'tuned', base: 'base', tie: 'tie' },
  nothingBefore: 'nothing comes before it, so nothing predicts it',
  tokenLosses: (base: number, tuned: number) =>
    `base ${fixed(base, 3)}, tuned ${fixed(tuned, 3)} (${tuned > base ? '+' : '−'}${fixed(Math.abs(tuned - base), 3)})`,
  dropToSeeRows: 'Drop a training or validation file in step 2 to see its rows here.',
  chooseToSeeRows:
    'Choose the model of this run in step 1 and drop a data file in step 2 to see its rows here.',
  meanLosses: ({ base, tuned }: { base: number; tuned: number }) =>
    `Mean loss of what is learned from: base **${fixed(base, 4)}**, tuned **${fixed(tuned, 4)}**.`,
  idAndPosition: (id: number, position: number) => `id ${id}, position ${position}`,
  lossOfBase: 'Loss of the base model',
  lossOfTuned: 'Loss of the tuned model',
  beforeBase: 'Before: base model',
  afterTuned: 'After: tuned',
  lossFrom: (loss: number) => `loss ${loss}`,
  andMore: (loss: number) => `${loss} and more`,
  adapterOfStep: (step: number) => `adapter of step ${step}`,
  fromHistory: (name: string, step: number) =>
    `adapter of step ${step} of ${isolated(name)}, from the history`,
  writtenIntoFolder: 'The adapter was written into the folder.',
  folderFailed: (reason: string) =>
    `The folder could not be written: ${clause(reason)}. Download the zip instead.`,
  runNotKept: (reason: string) => `This run is not kept in the browser: download its adapter now. ${reason}`,
  exportForms: {
    'gguf-lora': 'GGUF adapter for llama.cpp, Ollama and LM Studio',
    gguf: 'Merged model as GGUF',
    merged: 'Merged model as safetensors',
    mlx: 'Adapter for mlx-lm',
    cluster: 'Continue on a bigger machine (TRL)',
    player: 'Chat page for any host',
  },
  mergedWeights:
    'Merged models are made of the weights with which the run trained: of 4-bit ones, dequantised. To merge into the original 16-bit files use `npm run convert`.',
  exportWritten: (form: string, folder: string) => `${form}: written into ${isolated(folder)}.`,
  exportDownloaded: (form: string, file: string) => `${form}: downloaded as ${file}.`,
  playerMissing: (file: string) =>
    `player/${file} could not be fetched, which this page hands out: it is not kept for use without a network. Connect, and export again.`,
  answers: 'Answers',
  file: 'File',
  evaluation: 'Evaluation',
  acrossEvaluations: 'this row at every evaluation',
  previousRow: 'Previous row',
  nextRow: 'Next row',
  reference: 'Reference',
  onlyInAnswer: 'only in the answer',
  onlyInReference: 'only in the reference',
  beforeAndAfter: 'Answers, before and after',
  comesNext: 'comes with the next evaluation',
  chat: 'Chat',
  adapterScalePercent: 'Adapter scale in percent',
  scaleHelp: '0 % is the base model, 100 % as trained. Moving it writes the last answer again.',
  baseModelBeside: 'Base model beside it',
  message: 'Message to the model',
  askSomething: 'Ask something',
  send: 'Send',
  answerAgain: 'Answer again',
  newConversation: 'New conversation',
  sampling: 'Sampling',
  conversation: 'Conversation',
  evaluateHeading: 'Evaluate on validation files',
  chooseItsModel: "Choose this adapter's model: the rows are read by its tokenizer.",
  dropToEvaluate:
    'Drop validation files in the data section: the adapter and the base model are scored on them.',
  evaluationOfAdapter: 'Evaluation of the adapter',
  set: 'set',
  lossBase: 'loss, base',
  lossTuned: 'loss, tuned',
  accuracyBase: 'accuracy, base',
  accuracyTuned: 'accuracy, tuned',
  headToHead: 'Head to head',
  validationSet: 'Validation set',
  rows: 'Rows',
  seedOfTest: 'Seed',
  stopAnswering: 'Stop answering',
  keptVotes: 'Kept votes',
  against: 'Against',
  theBaseModel: 'the base model',
  testOf: (set: string, opponent: string | null) =>
    opponent === null ? isolated(set) : `${isolated(set)}, against ${isolated(opponent)}`,
  whichAnswerBetter: 'Which answer is better?',
  voteKeys: 'Your vote; keys A, T and B',
  ownAnswer: "The file's own answer",
  tally: 'Tally',
  line: 'line',
  better: 'better',
  tunedColumn: 'tuned',
  base: 'base',
  heatMap: 'Loss token by token',
  chooseFile: 'Choose a file',
  row: 'Row',
  shadePrompt: 'shade the prompt too',
  scoringRow: 'Scoring the row',
  tokenValues: 'Values of a token',
  tokenKeys: 'Tokens; arrow keys move',
  loss: 'loss',
  startColumn: 'start',
  best: 'best',
  end: 'end',
  downloadAdapter: 'Download the adapter',
  saveIntoFolder: 'Save into a folder',
  answersAfterRun: 'The adapter answers when the run has ended.',
  forOtherPrograms: 'For other programs',
  ggufType: 'GGUF type',
  asZip: 'as a zip',
  exportNotes: 'What to know of this export',
};

const history = {
  heading: 'History',
  open: 'Open',
  /** Follows "Open", for screen readers. */
  resultOf: (title: string) => `the result of ${isolated(title)}`,
  allRuns: (count: number) => `All ${count} runs`,
  noResultYet:
    'When a run ends, its adapter is here: to chat with beside the base model, to look at token by token, to compare blind, and to download for other programs.',
  earlierResults: 'Results of earlier runs',
  runsKept:
    'Every run is kept here with its recipe, curves, answers, votes and adapter, in this browser only.',
  tickToCompare: 'Tick runs to compare them.',
  tryAdapter: 'Try another adapter',
  tryFiles: 'Choose adapter files to try',
  tryFolder: 'Choose an adapter folder to try',
  tryHint:
    "Drop a PEFT folder or a GGUF LoRA adapter, made here or elsewhere, for the chosen model: it answers, under the recipe's system prompt, is evaluated and exported as a run's.",
  continueAdapter: 'Go on from another adapter',
  continueFiles: 'Choose adapter files',
  continueFolder: 'Choose an adapter folder',
  continueHint:
    'Drop a PEFT folder (adapter_config.json and adapter_model.safetensors), made here or by Python, or a GGUF LoRA adapter: the next run goes on from it.',
  importRun: 'Go on with a run of another computer',
  importRunFile: 'Choose a run file',
  importRunHint:
    'Drop the file that “Export to go on elsewhere” saved there. With its model and data files here, the run resumes; on the same kind of adapter to the same bytes.',
  filter: 'Filter',
  filterHint: 'Words of a name, note, tag, model or state',
  lossOf: 'Loss of',
  keptRuns: 'Kept runs',
  compare: 'Compare',
  actions: 'Actions',
  noneFound: 'No run has all of these words.',
  openNow: 'Open now',
  less: 'Less',
  more: 'More',
  name: 'Name',
  tags: 'Tags, with commas between them',
  tagsExample: 'baseline, pirate',
  notes: 'Notes',
  trainOn: 'Train on from its adapter',
  downloadAdapter: 'Download its adapter',
  exportRunFile: 'Export to go on elsewhere',
  exportAll: 'Export all of it',
  deleteForGood: 'Delete it for good?',
  keepIt: 'Keep it',
  comparison: 'Comparison of runs',
  tableCsv: 'Table as CSV',
  curvesCsv: 'Curves as CSV',
  sameRecipes: 'Their recipes are the same.',
  differences: 'Differences of the runs',
  run: 'run',
  columns: {
    run: 'run',
    state: 'state',
    started: 'started',
    learningRate: 'learning rate',
    r: 'r',
    time: 'time',
    size: 'size',
  },
  lossColumn: (curve: string) => `${curve}: start → end`,
  bestColumn: (curve: string) => `${curve}: best → end`,
  kept: (runs: number, size: string) => `${plural(runs, { one: '# run', other: '# runs' })}, ${size}`,
  storageUsed: (used: string, quota: string) =>
    `${used} of ${quota} of browser storage are used, models included.`,
  found: (count: number, of: number) => `${integer(count)} of ${integer(of)} runs`,
  compareRun: (title: string) => `Compare ${title}`,
  wentOnFrom: (name: string) => ` · went on from ${name}`,
  resumeFrom: (step: number) => `Resume from ${step}`,
  /** After "More", for screen readers. */
  ofRun: (title: string) => ` of ${title}`,
  deleteRun: (title: string) => `Delete ${title}`,
  deleteQuestion: (title: string) => `Delete ${title}?`,
  compared: (count: number) => `${integer(count)} runs compared`,
  states: {
    running: 'running',
    finished: (steps: number) => `finished, ${steps} steps`,
    stoppedEarly: (step: number, of: number) => `stopped early at step ${step} of ${of}`,
    stopped: (step: number, of: number) => `stopped at step ${step} of ${of}`,
    diverged: (step: number, of: number) => `diverged at step ${step} of ${of}`,
    failed: (step: number, of: number) => `failed at step ${step} of ${of}`,
    cutOff: 'cut off before its first checkpoint',
    saved: (step: number, of: number) => `cut off; saved at step ${step} of ${of}`,
  },
  otherModel: (name: string) =>
    `The adapter ${name} to go on from was checked against another model. Choose it again for this one, or start from scratch.`,
  needsSettings: (name: string, settings: string) =>
    `The adapter ${name} to go on from needs ${settings}. Set the recipe so, or start from scratch.`,
};

const queue = {
  ended: (count: number, of: number, isResting: boolean) =>
    `${count} of ${of} ended${isResting ? ', resting after this run' : ''}`,
  continueQueue: (count: number) => `Continue the queue (${count})`,
  startQueue: (count: number) => `Start the queue (${count})`,
  toQueueMore: (reason: string) => `To queue more: ${reason}`,
  waits: 'Waits',
  running: 'Running',
  goesOn: 'Cut off; goes on from its last saved step',
  elsewhere: 'Goes on in another tab of this browser',
  lost: 'The browser keeps no more of the queue: its storage for settings is full, or blocked. It works, but is gone after a reload. Shorten the system prompts, or take runs out.',
  cutOffBefore: 'Cut off before it began',
  earlier: (title: string) => `Run ${isolated(title)} earlier`,
  later: (title: string) => `Run ${isolated(title)} later`,
  tryNamedAgain: (title: string) => `Try ${isolated(title)} again`,
  stopNamed: (title: string) => `Stop ${isolated(title)}; the next one starts`,
  takeOut: (title: string) => `Take ${isolated(title)} out of the queue`,
  clear: 'Clear',
  works: 'The queue works: more can be added when it rests.',
  fromScratch: 'A queued run starts from scratch: take the adapter out first.',
  isPlanned: 'The run is being planned.',
  dropFirst: (names: string) => `Drop ${isolated(names)} first: the queue needs its rows.`,
  noModel: 'A run is queued for a model, and none is chosen.',
  notPlanned: 'The run could not be planned.',
  modelGone: (name: string) =>
    `${isolated(name)} is not stored in this browser any more. Drop it again, then try this run again.`,
  dropNamed: (names: string) => `Drop ${isolated(names)} first.`,
  otherFiles: (queued: string, now: string) =>
    `It was queued with ${isolated(queued)}, and ${isolated(now)} is here now. Drop the other file, and try it again.`,
  fileChanged: (name: string) =>
    `${isolated(name)} is not what it was when this run was queued. Put the file back, or queue the run again.`,
  addSetting: 'Add a setting.',
  takeSettingOut: (key: string) => `Take ${key} out of the sweep`,
  runs: (count: number) => plural(count, { one: '# run', other: '# runs' }),
  /** Follows the number of runs. */
  needs: (steps: number, memory: number) =>
    `, ${integer(steps)} steps together. GPU memory: at most ${bytes(memory)} at a time.`,
  timeUnknown: 'Time: known once a first run with this model and these rows has ended.',
  timeNeeded: (seconds: number, speedOf: string) =>
    `Time: about ${duration(seconds)}, by the speed of “${isolated(speedOf)}”.`,
  planned: (count: number) => `, ${count} planned`,
  plannedLater: '. They are planned when the run under way has ended.',
  states: {
    waiting: 'waiting',
    running: 'running',
    interrupted: 'cut off',
    failed: 'failed',
  },
  sweep: (place: number) => `Sweep ${place}`,
  runsEnded: (count: number, of: number) => `${count} of ${of} runs ended`,
  downloadTable: (place: number) => `Download the table of sweep ${place} as CSV`,
  bestSoFar: (name: string, basis: string) => `Best so far: **${isolated(name)}**, by ${isolated(basis)}.`,
  runsOf: (place: number) => `Runs of sweep ${place}`,
  startBestEnd: 'start → best → end',
  openResult: (name: string) => `Open the result of ${isolated(name)}`,
  curveOf: (place: number) => `Curve of sweep ${place}`,
  lossOf: (name: string) => `${isolated(name)} loss`,
  heading: 'Several runs: queue and sweep',
  queue: 'Queue',
  intro:
    'Recipes that you queue are trained one after another with the files that are here. One that fails does not stop the others. The queue outlives a reload: runs that wait stay, and the one that was cut off goes on from its last saved step.',
  queuedRuns: 'Queued runs',
  wasCutOff:
    'The page was closed or reloaded while the queue worked. Nothing is lost: continue when the model and the files are here.',
  goOnAfter: 'Go on after this run',
  restAfter: 'Rest after this run',
  stopAndRest: 'Stop this run and rest',
  addRecipe: 'Add this recipe to the queue',
  clearEnded: 'Clear what has ended',
  startsLater: 'The queue can start when the run under way has ended.',
  tryAgain: 'Try again',
  sweepHeading: 'Make a sweep: one recipe over several values',
  sweepIntro:
    'Every combination of these values becomes a run; the seed, the rows and everything else in the recipe stay equal. Write numbers between commas.',
  sweepSettings: 'Settings of the sweep',
  anotherSetting: 'Another setting',
  chooseOne: 'choose one',
  add: 'Add',
  whatItNeeds: 'What the sweep needs',
  scaleHelp:
    'The adapter is scaled by lora_alpha over r. With lora_alpha as it is, a larger r is scaled less; add lora.lora_alpha to try both.',
  startSweep: 'Start the sweep',
  putIntoQueue: 'Put its runs into the queue',
  run: 'run',
  state: 'state',
  actions: 'actions',
  open: 'Open',
  reasons: {
    finished: 'finished',
    stopped: 'stopped',
    'early stopping': 'early stopping',
    diverged: 'diverged',
  },
};

/** What a reload brings back. */
const kept = {
  restored: (model: string | null, files: number) => {
    const recipe = model === null ? 'the recipe' : `the recipe, the model ${isolated(model)}`;
    const data = files === 0 ? '' : ` and ${plural(files, { one: '# data file', other: '# data files' })}`;
    return `Your work of the last visit is here again: ${recipe}${data}.`;
  },
  startAfresh: 'Start afresh',
  dismiss: 'Dismiss',
  lost: 'Of your last visit these files are missing:',
  onDisk: 'where it lay on the disk',
  giveAgain: 'choose or drop it again',
  reopen: 'Open them where they lie',
  reopenHint: 'The browser asks whether the page may read them.',
  notKept:
    'The browser keeps no more of this page: its storage for settings is full, or blocked. A reload brings back the work as it was before.',
  forgetMissing: 'Do without them',
  copies: (size: number) => `Keep a copy of these files in this browser (${bytes(size)})`,
  copiesHint:
    'Then they are here after a reload. They stay on this computer, and are deleted when you take the mark away.',
  copied: (size: number) => `${bytes(size)} are kept.`,
  forgetCopies: 'Forget the copies',
  byHandle: (names: string) =>
    `Of ${names} only the place on the disk is remembered: after a reload one click opens it again.`,
};

/** A run while no one looks. */
const background = {
  notify: 'Notify me at the end',
  willNotify: 'A notification without a sound comes at the end, if you are not looking.',
  dontNotify: 'Rather not',
  refused:
    "No notification at the end: this browser refuses them for the page. Allow them in the site's settings, beside the address.",
  noticeTitle: 'Finetab: the run has ended',
  queueEnded: (ended: number, failed: number) =>
    `The queue rests: ${plural(ended, { one: '# run', other: '# runs' })} ended${failed === 0 ? '' : `, ${failed} of them failed`}.`,
  /** What happened while the tab was hidden. */
  away: {
    frozen: ({ seconds, frozenSeconds, steps }: Away) =>
      `The tab was hidden for ${duration(seconds)}, and the browser froze it for ${duration(frozenSeconds)} of them: nothing was computed then. The run made ${plural(steps, { one: '# step', other: '# steps' })} meanwhile. Keep the tab in a window of its own, or take the page out of the browser's energy saver.`,
    heldUp: ({ seconds, longestGap, steps }: Away) =>
      `The tab was hidden for ${duration(seconds)}; for ${duration(longestGap)} of them no step came, and ${plural(steps, { one: '# step was', other: '# steps were' })} made. A computer that sleeps, or a browser that saves energy, does that. The run goes on where it was.`,
    slower: ({ seconds, steps, secondsPerStepBefore }: Away) =>
      `The tab was hidden for ${duration(seconds)}: a step took ${fixed(seconds / steps, 2)} s, and ${fixed(secondsPerStepBefore!, 2)} s in sight. Evaluations in between count too.`,
    same: ({ seconds, steps }: Away) =>
      `The tab was hidden for ${duration(seconds)}: the run made ${plural(steps, { one: '# step', other: '# steps' })} and was not slowed.`,
    unknown: ({ seconds, steps }: Away) =>
      `The tab was hidden for ${duration(seconds)}: the run made ${plural(steps, { one: '# step', other: '# steps' })} meanwhile.`,
  },
};

const tabs = {
  label: 'More of the run',
  answers: 'Answers in full',
  changes: 'Better or worse',
  sampled: 'Sampled answers',
  rows: 'What is learned',
  notes: 'Notes and kernels',
  noAnswers: 'No evaluation with answers yet.',
  firstSamples: 'The first step brings its answers here.',
  resultLabel: 'What to do with the adapter',
  evaluate: 'Evaluate',
  evaluation: 'Evaluation',
};

const curves = {
  smoothing: 'Smoothing',
  unsmoothed: 'none',
  log: 'Logarithmic scale',
  metric: 'Metric of validation files',
  csv: 'All curves as CSV',
  training: 'training loss',
  waiting: 'waiting',
  evaluating: 'being evaluated',
  raw: 'raw',
  smoothed: 'smoothed',
  best: 'best',
  forgets: 'forgets',
  files: 'Validation files',
  rewards: 'Rewards',
  preferences: 'Preferences',
  others: 'Learning rate, gradient norm, speed',
  learningRate: 'learning rate',
  gradNorm: 'gradient norm',
  speed: 'tokens per second',
  atAStep: 'At a step',
  step: 'Step',
  fileOfAnswer: 'File of the answer',
  row: 'Row',
  ofThePast: (percent: number) => `${percent} % of the past`,
  smoothedState: (value: number, isSmoothed: boolean) =>
    `${fixed(value, 4)}${isSmoothed ? '; the thick line is smoothed' : ''}`,
  fileState: (value: string, best: number | null, isKept: boolean) =>
    `${value}${best === null ? '' : `, best at step ${best}`}${isKept ? ', kept' : ''}`,
  answeredAt: (step: number) => `answered at step ${step}`,
};

const changes = {
  twoNeeded: 'Two evaluations with answers are needed to compare them.',
  file: 'File',
  from: 'From',
  to: 'to',
  shown: 'Rows that are shown',
  by: "By ROUGE-L against the file's own answer; an answer that is the reference itself is better than any other.",
  row: 'row',
  empty: '(empty)',
  verdicts: { better: 'better', worse: 'worse', same: 'same' },
  counted: (verdict: 'better' | 'worse' | 'same', count: number) =>
    `${integer(count)} ${verdict === 'same' ? 'the same' : `got ${verdict}`}`,
  of: (name: string) => `Changes of ${isolated(name)}`,
};

const chart = {
  noValue: (title: string) => `${title}: no value yet`,
  hasNone: (name: string) => `${name} has none`,
  ends: (first: string, from: number, last: string, to: number, count: number) =>
    `from ${first} at step ${from} to ${last} at step ${to}, ${count} values`,
  atStep: (step: number, value: string | null) =>
    value === null ? `step ${step}` : `step ${step}: ${value}`,
  smaller: 'Smaller',
  larger: 'Larger',
  saveAs: (title: string, format: string) => `Save the chart ${title} as ${format}`,
};

/** The guided first lesson. */
const lesson = {
  offer: 'Show me round: a lesson in six steps',
  stepOf: (step: number, of: number) => `Step ${step} of ${of}`,
  startDemo: 'Start the demo',
  preparing: 'The demo is being prepared',
  next: 'Next',
  back: 'Back',
  finish: 'End the lesson',
  showMe: 'Show me the place',
  skip: 'Skip the lesson',
  steps: {
    start: {
      title: 'A model learns to speak like a pirate',
      text: 'A small language model comes with the page, and 400 questions with pirate answers. Press the button: it trains here, on this computer, while you look round.',
    },
    mask: {
      title: 'What it learns from',
      text: 'This is one row as the model sees it, piece by piece. The underlined pieces are learned: the answer. The rest is only read. Go over a piece to see what the model has to predict there, and open “Why is this row masked so?”.',
    },
    curves: {
      title: 'The loss falls',
      text: 'The loss says how surprised the model is by the right answers. The upper curve is of rows that it trains on; those below are of files that it never trains on. Only if they fall too has it learned more than the rows by heart. A “?” beside a name explains it.',
    },
    answers: {
      title: 'Answers change',
      text: 'The same questions, answered before the training and now. The first evaluations bring the new answers; numbers can deceive, so read them.',
    },
    chat: {
      title: 'Ask it yourself',
      text: 'When the run has ended, ask both models the same question: the base model is on the left, the tuned one beside it. Move the slider to mix in less of what was learned.',
    },
    own: {
      title: 'Now with your own rows',
      text: 'Choose a model that fits, drop a file with questions and answers under Data, and press Train. Whatever you see, the adapter can be downloaded under Result.',
    },
  },
};

const largeTimes = (count: number) => (count > 1 ? `, and large ${count} times in all` : '');
const timesSeen = (epochs: number) => (epochs === 1 ? 'once' : `${significant(epochs, 2)} times`);

/** Why something is as it is. */
const explain = {
  whyRise: 'Why did the loss rise?',
  nothingRecorded: 'Nothing that is recorded of this run goes with it.',
  factsNotCauses:
    'These are facts of this run that often go with a rise. Which of them is the cause, only another run can show: change one thing, or make a sweep.',
  rose: ({ name, best, bestStep, last, lastStep }: LossTrend) =>
    `${isolated(name)} was best at step ${bestStep} with ${fixed(best, 3)}, and ${fixed(last, 3)} at step ${lastStep}.`,
  bestBefore: (name: string) =>
    `It was best before the first step: training never improved ${isolated(name)}, it only moved away from it. Rows like those of ${isolated(name)} in the training file, or a lower learning_rate, keep more of it.`,
  trainingFell: (before: number, after: number) =>
    `Meanwhile the training loss went from ${fixed(before, 3)} to ${fixed(after, 3)} (means of both halves): it fell while this one rose, so the run came to know its own rows better and these less. Fewer steps, or a smaller r, hold that back.`,
  trainingRose: (before: number, after: number) =>
    `Meanwhile the training loss went from ${fixed(before, 3)} to ${fixed(after, 3)} (means of both halves): it rose too, so not these rows alone got worse. A lower learning_rate is the first thing to try.`,
  seenOften: (last: number, best: number) =>
    `Each row had been seen ${timesSeen(last)} at the end, and ${timesSeen(best)} at the best step. metric_for_best_model hands out the best step; a lower num_train_epochs ends sooner.`,
  largeRate: (rate: number) => `learning_rate is ${rate}, above the 1e-4 to 5e-4 that suit most runs.`,
  bestBeforePeak: (rate: number, step: number) =>
    `The best step lies before the learning rate reached its peak of ${rate} at step ${step}: the rise came with larger steps.`,
  spikes: ({ norm, step, times, count, clip }: GradientSpikes) =>
    `The gradient's norm was ${fixed(norm, 3)} at step ${step}, ${significant(times, 2)} times its usual size${largeTimes(count)}; it is clipped to max_grad_norm ${clip}. Look at the rows of that step.`,
  fewRows: (count: number) =>
    `There are only ${integer(count)} training rows: few rows are learned by heart soon.`,
  manyDuplicates: (duplicates: number, of: number) =>
    `${integer(duplicates)} of ${integer(of)} training rows repeat another one: these weigh more than the rest. The data doctor lists them.`,
  /** @param source whose page it is @param about the setting or the term */
  sourceOf: (source: string, about: string) => `${source} about ${about} (opens another page)`,
  whatIs: (name: string) => `What is this: ${name}?`,
  /** What terms and figures are, in a sentence. */
  terms: {
    masks: 'A mask says which tokens are learned: the answers; everything else is only read.',
    chatTemplate: "The model's own form of a conversation: which tokens stand around each turn.",
    rows: 'Examples that are learned from. A long text, or a conversation that needs it, counts as several.',
    tokens: 'Pieces of words, as the model reads them. Time and memory grow with their number.',
    learnedFrom: 'Tokens that the loss is computed on: the answers with their ends. Questions are only read.',
    longest: 'The longest row in tokens. The longest one decides how much memory a run takes.',
    truncated: 'Rows that are longer than max_length: their ends are cut off.',
    repeated: 'Rows that say the same as an earlier one. They are learned that much more often.',
    leftOut: 'Rows that cannot be learned from, each with its reason below.',
    loss: 'How surprised the model is by each next token of the answers, on average, in nats: 0 is never surprised. Lower is better; on rows that it did not train on, that is learning.',
    gradNorm:
      'How strongly a step pulls at the adapter, before it is clipped to max_grad_norm. Spikes point at odd rows or at a learning rate that is too high.',
    learningRate: 'How large a step is, as the schedule has it at this moment.',
    speed: 'Tokens, padding left out, that are trained on in a second.',
    step: 'One change of the adapter, from per_device_train_batch_size × gradient_accumulation_steps rows.',
    savedAt: 'The last checkpoint in this browser: from there a run goes on after a reload or a crash.',
    perplexity:
      'e to the power of the loss: among how many equally likely tokens the model hesitates, so to speak.',
    tokenAccuracy: 'Share of the answers’ tokens that the model holds for the most probable ones.',
    rouge:
      "How much of the file's own answer a generated one shares, in words (1), pairs (2) or in order (L); 0 to 100.",
    bleu: "How many runs of up to four words a generated answer shares with the file's own; 0 to 100.",
    chrf: 'The same by characters, which is fairer to languages with many endings; 0 to 100.',
    exactMatch: "Share of generated answers that are the file's own, to the letter.",
    lengths: 'Mean length of generated answers. One that grows to max_new_tokens never learned to stop.',
    stopped: 'Share of answers that ended by themselves, before max_new_tokens.',
    preferences:
      'How far the adapter prefers the wanted answer: rewards are differences of log-probabilities to the base model, times beta.',
    forgets:
      'A loss that rises again after its best value, or above its start: what the base model knew gets lost.',
    weights: 'The base model, which stays as it is; in 4 bits it takes a quarter of the room.',
    adapter: 'The two small matrices beside each layer: all that is learned.',
    optimizer:
      "Gradients, and AdamW's two running means of them: three more numbers for each of the adapter's.",
    activations: 'What the forward pass keeps for the backward pass; it grows with the tokens at a time.',
    kvCache: 'Keys and values of the answers that are being generated, token by token.',
    batch: 'The ids of a micro-batch, and tables such as positions.',
    adapterScale:
      'How much of the adapter is added to the base model: 0 % is the base, 100 % as it was trained.',
  },
  whyMasked: 'Why is this row masked so?',
  lookingUp: 'Reading the row again',
  moreDocs: 'How rows become masks',
  /** Why a stretch of a row is learned or only read. */
  mask: {
    systemOfRecipe:
      "The recipe's system_prompt: only read. It stands ahead of every row that has no system message of its own.",
    systemOfRow: "The row's own system message: only read.",
    question: 'What is asked: only read. The model learns to answer, not to ask (TRL: assistant_only_loss).',
    systemAndQuestion: 'System message and question, which this chat template writes as one turn: only read.',
    toolResult: 'What a tool returned: only read. Calls are learned, their results are not.',
    generationPrompt:
      'How the chat template begins an answer (the generation prompt): only read, as the model is given it whenever it answers.',
    answer: 'An answer, with the token that ends it: learned.',
    thoughts: 'The thoughts ahead of an answer: learned, as the row has them (reasoning_content or <think>).',
    calls: 'Calls of tools: learned like an answer.',
    chosen: 'The wanted answer: its probability is raised.',
    rejected: 'The unwanted answer: its probability is lowered.',
    unlearned: 'An answer that the row marks as only read (weight 0, or train false).',
    givenTurn: 'An answer within the prompt: of a prompt and a completion only the completion is learned.',
    maskHistory: 'An earlier answer: only read, as mask_history is on and only the last one is learned.',
    otherDocument:
      'An earlier answer, and what follows it: only read here. This chat template writes an answer otherwise once more turns follow, so the row became one document an answer; this one is learned in its own.',
    template: 'What the chat template writes around the turns: only read.',
    text: 'Raw text: all of it is learned.',
    firstToken: 'The first token: nothing stands before it, so nothing can predict it.',
  },
  maskCut: (tokens: number) =>
    `${plural(tokens, { one: '# more token was', other: '# more tokens were' })} cut off at max_length: neither read nor learned.`,
  maskTrimmed:
    "White space at an answer's beginning was taken off: its tokens would merge with the prompt's.",
  maskPrompt: 'Nothing of this row is learned: answers to it are sampled, and learned by their rewards.',
};

export const en = {
  common,
  layout,
  data,
  recipe,
  recipeHelp,
  store,
  gpu,
  errors,
  classroom,
  board,
  model,
  metrics,
  run,
  tabs,
  curves,
  changes,
  result,
  history,
  chart,
  queue,
  kept,
  background,
  explain,
  lesson,
};

/** What every language has: a missing or another key, or another parameter, is a type error. */
export type Messages = typeof en;
