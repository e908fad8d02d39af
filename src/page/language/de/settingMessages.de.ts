/** Settings of a recipe that do not fit together, or not the files, in German. */
import type { MessagePairs } from '../translated.ts';

export const SETTING_MESSAGES: MessagePairs = [
  // The method and its settings.
  [
    '"training.{0}" is {1}, which the method {2} does not read ({3} {4}). Remove it, or change "method".',
    '„training.{0}“ ist {1}, was die Methode {2} nicht liest (es liest: {3}). Entferne es, oder ändere „method“.',
  ],
  [
    '"mix_ratios" is of the method sft without "packing". Remove it.',
    '„mix_ratios“ gehört zur Methode sft ohne „packing“. Entferne es.',
  ],
  [
    '"training.loss_type" is "{0}": the method {1} has {2}.',
    '„training.loss_type“ ist „{0}“: Die Methode {1} hat {2}.',
  ],
  [
    '"training.label_smoothing" is set, which the loss ipo does not have. Remove it.',
    '„training.label_smoothing“ ist gesetzt, was der Verlust ipo nicht hat. Entferne es.',
  ],
  [
    '"training.disable_dropout" is false: preference methods train without dropout. Set it to true, or lora.lora_dropout to 0.',
    '„training.disable_dropout“ ist false: Präferenzmethoden trainieren ohne Dropout. Setze es auf true, oder lora.lora_dropout auf 0.',
  ],
  [
    '"training.beta" is 0, with which {0} learns nothing. Raise it; 0.1 is usual.',
    '„training.beta“ ist 0, womit {0} nichts lernt. Erhöhe es; üblich ist 0.1.',
  ],
  [
    '"training.per_device_train_batch_size" is 1: kto compares the answers of a batch and needs 2 or more. Raise it, or set loss_type to "apo_zero_unpaired".',
    '„training.per_device_train_batch_size“ ist 1: kto vergleicht die Antworten eines Batches und braucht 2 oder mehr. Erhöhe es, oder setze loss_type auf „apo_zero_unpaired“.',
  ],
  [
    '"rewards" are named, which the method {0} does not read. Set "method" to "grpo", or remove them.',
    '„rewards“ sind genannt, die die Methode {0} nicht liest. Setze „method“ auf „grpo“, oder entferne sie.',
  ],
  [
    '"rewards" is empty: grpo learns from nothing else. Name one, such as {"type": "exact_match"}.',
    '„rewards“ ist leer: grpo lernt aus nichts anderem. Nenne eine, etwa {"type": "exact_match"}.',
  ],
  [
    'a step has {0} answers (per_device_train_batch_size times gradient_accumulation_steps), which is no multiple of num_generations {1}. Set per_device_train_batch_size to a multiple of {2}.',
    'Ein Schritt hat {0} Antworten (per_device_train_batch_size mal gradient_accumulation_steps), das ist kein Vielfaches von num_generations {1}. Setze per_device_train_batch_size auf ein Vielfaches von {2}.',
  ],
  [
    '"training.max_completion_length" is {0} and "max_length" {1}: no token is left for a prompt. Raise max_length.',
    '„training.max_completion_length“ ist {0} und „max_length“ {1}: Für einen Prompt bleibt kein Token. Erhöhe max_length.',
  ],
  [
    '"training.neftune_noise_alpha" is set, which grpo does not use: its answers are sampled without noise. Remove it.',
    '„training.neftune_noise_alpha“ ist gesetzt, was grpo nicht benutzt: Seine Antworten werden ohne Rauschen gezogen. Entferne es.',
  ],
  // The schedule.
  [
    '{0} is no argument of the schedule {1}, which takes {2}.',
    '{0} ist kein Argument des Plans {1}; er nimmt: {2}.',
  ],
  [
    'The schedule {0} needs either min_lr or min_lr_rate in "training.lr_scheduler_kwargs".',
    'Der Plan {0} braucht in „training.lr_scheduler_kwargs“ entweder min_lr oder min_lr_rate.',
  ],
  [
    'The schedule warmup_stable_decay needs num_decay_steps in "training.lr_scheduler_kwargs".',
    'Der Plan warmup_stable_decay braucht num_decay_steps in „training.lr_scheduler_kwargs“.',
  ],
  ['{0} must be below learning_rate.', '{0} muss unter learning_rate liegen.'],
  // Functions that score.
  [
    '{0} has a name that is taken. Give it a "name" of its own.',
    '{0} hat einen Namen, den es schon gibt. Gib ihr einen eigenen „name“.',
  ],
  ['{0} is of type {1} and has no "{2}". Write it.', '{0} ist vom Typ {1} und hat kein „{2}“. Schreib es.'],
  [
    '{0} has "{1}", which the type {2} does not read ({3}). Remove it, or change "type".',
    '{0} hat „{1}“, was der Typ {2} nicht liest (er liest: {3}). Entferne es, oder ändere „type“.',
  ],
  ['no key', 'keinen Schlüssel'],
  [
    '{0} has neither "min" nor "max". Write one of them, or both.',
    '{0} hat weder „min“ noch „max“. Schreib eines davon, oder beide.',
  ],
  [
    '{0} has a "min" above its "max". Exchange them.',
    '{0} hat ein „min“, das über „max“ liegt. Vertausche sie.',
  ],
  [
    '{0} has a "pattern" that is no regular expression: {1}. Mend it.',
    '{0} hat ein „pattern“, das kein regulärer Ausdruck ist: {1}. Bessere es aus.',
  ],
  [
    '"metrics" are named, which need generated answers. Set "evaluation.predict_with_generate" to true, or remove them.',
    '„metrics“ sind genannt, die erzeugte Antworten brauchen. Setze „evaluation.predict_with_generate“ auf true, oder entferne sie.',
  ],
  // What decides which adapter is the best.
  [
    '"evaluation.metric_for_best_model" is named, and "evaluation.eval_strategy" is "no": nothing would be evaluated. Write "steps" or "epoch", or take the metric out.',
    '„evaluation.metric_for_best_model“ ist genannt, und „evaluation.eval_strategy“ ist „no“: Nichts würde ausgewertet. Schreib „steps“ oder „epoch“, oder nimm das Maß heraus.',
  ],
  [
    'metric_for_best_model is "{0}", but there is no validation file. Drop one, or leave metric_for_best_model empty.',
    'metric_for_best_model ist „{0}“, es gibt aber keine Validierungsdatei. Lege eine ab, oder lass metric_for_best_model leer.',
  ],
  [
    'metric_for_best_model is "{0}", which no validation file has: write eval_<name>_<metric> with a name of {1} and a metric of {2}.',
    'metric_for_best_model ist „{0}“, was keine Validierungsdatei hat: Schreib eval_<Name>_<Maß>, der Name aus {1} und das Maß aus {2}.',
  ],
  [
    'metric_for_best_model is "{0}", which only preference methods have: set method to one of them, or name another metric.',
    'metric_for_best_model ist „{0}“, was nur Präferenzmethoden haben: Setze method auf eine davon, oder nenne ein anderes Maß.',
  ],
  [
    'metric_for_best_model is "{0}", which needs generated answers: set predict_with_generate to true.',
    'metric_for_best_model ist „{0}“, was erzeugte Antworten braucht: Setze predict_with_generate auf true.',
  ],
  // Mixed files.
  [
    '"mix_ratios" has no ratio for the training file {0}. Give one to each file, or remove the key.',
    '„mix_ratios“ hat keinen Anteil für die Trainingsdatei {0}. Gib jeder Datei einen, oder entferne den Schlüssel.',
  ],
  [
    '"mix_ratios" names {0}, which is no training file here. Drop it, or remove it from the key.',
    '„mix_ratios“ nennt {0}, was hier keine Trainingsdatei ist. Lege sie ab, oder nimm sie aus dem Schlüssel.',
  ],
  [
    '"mix_ratios" cannot tell training files of the same name apart. Rename one of them.',
    '„mix_ratios“ kann Trainingsdateien mit demselben Namen nicht unterscheiden. Benenne eine um.',
  ],
];
