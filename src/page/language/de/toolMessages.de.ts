/** Recipes of other tools, in German: what of them is refused, and what is meant otherwise here. */
import type { MessagePairs } from '../translated.ts';

export const TOOL_MESSAGES: MessagePairs = [
  // Of any tool.
  [
    'This recipe of {0} asks for what is not possible here. {1}',
    'Dieses Rezept von {0} verlangt, was hier nicht geht. {1}',
  ],
  [
    "Not understood, and not used: {0}. If one of them changes what is learned, this run is not that recipe's.",
    'Nicht verstanden und nicht benutzt: {0}. Ändert eines davon, was gelernt wird, ist dieser Lauf nicht der dieses Rezepts.',
  ],
  [
    'Not used, as they do not change what is learned: {0}.',
    'Nicht benutzt, weil sie nichts daran ändern, was gelernt wird: {0}.',
  ],
  [
    'The best model is kept by its validation loss, and the recipe has {0}: write metric_for_best_model: NAME_loss with the name of one.',
    'Das beste Modell wird nach seinem Verlust auf Validierungsdaten behalten, und das Rezept hat {0}: Schreib metric_for_best_model: NAME_loss mit dem Namen einer Datei.',
  ],
  ['no validation file', 'keine Validierungsdatei'],
  ['{0} validation sets', '{0} Validierungsdateien'],
  [
    '"{0}" is {1}: AdamW is computed the same, with its state in float32.',
    '„{0}“ ist {1}: AdamW wird ebenso gerechnet, mit seinem Zustand in float32.',
  ],
  [
    '"{0}" is {1}: there is AdamW alone. Write adamw_torch, or remove it.',
    '„{0}“ ist {1}: Es gibt nur AdamW. Schreib adamw_torch, oder entferne es.',
  ],
  [
    '"eval_steps" is {0}, a share of the run: write a number of steps.',
    '„eval_steps“ ist {0}, ein Anteil des Laufs: Schreib eine Zahl von Schritten.',
  ],
  [
    '"rl" is grpo, whose rewards are Python: write a recipe with "method": "grpo" and "rewards".',
    '„rl“ ist grpo, dessen Belohnungen Python sind: Schreib ein Rezept mit "method": "grpo" und „rewards“.',
  ],
  ['"{0}" is {1}: there are {2}.', '„{0}“ ist {1}: Es gibt {2}.'],
  [
    '"split" of {0} is {1}: a file is taken whole. Cut it yourself.',
    '„split“ von {0} ist {1}: Eine Datei wird ganz genommen. Kürze sie selbst.',
  ],
  [
    '"adapter" is {0}, which trains every weight: write lora or qlora.',
    '„adapter“ ist {0}, was jedes Gewicht trainiert: Schreib lora oder qlora.',
  ],
  [
    '"shuffle_merged_datasets" is false: rows are always shuffled.',
    '„shuffle_merged_datasets“ ist false: Zeilen werden immer gemischt.',
  ],
  [
    '"completion_only_loss" is false: prompts are never learned from. Give rows of "text" instead.',
    '„completion_only_loss“ ist false: Aus Prompts wird nie gelernt. Nimm stattdessen Zeilen mit „text“.',
  ],
  [
    '"use_peft" is not true, which trains every weight: only adapters are trained here.',
    '„use_peft“ ist nicht true, was jedes Gewicht trainiert: Hier werden nur Adapter trainiert.',
  ],
  [
    '"beta" is of DPO, ORPO and KTO, and the file does not say which: add a line method: dpo.',
    '„beta“ gehört zu DPO, ORPO und KTO, und die Datei sagt nicht, zu welchem: Füg eine Zeile method: dpo hinzu.',
  ],
  ['"loss_type" names {0} losses: a run has one.', '„loss_type“ nennt {0} Verluste: Ein Lauf hat einen.'],
  ['It has no "learning_rate". Write one.', 'Es hat keine „learning_rate“. Schreib eine.'],
  [
    'It names neither "lora_target_linear" nor "lora_target_modules". Write one.',
    'Es nennt weder „lora_target_linear“ noch „lora_target_modules“. Schreib eines davon.',
  ],
  // Why a key's value is refused.
  ['"{0}" is {1}: {2!}', '„{0}“ ist {1}: {2}'],
  [
    'write micro_batch_size and gradient_accumulation_steps.',
    'Schreib micro_batch_size und gradient_accumulation_steps.',
  ],
  ['prompts are never learned from. Write false.', 'Aus Prompts wird nie gelernt. Schreib false.'],
  [
    'drop the file of texts as training rows, and remove it.',
    'Lege die Datei mit den Texten als Trainingsdaten ab, und entferne es.',
  ],
  ['SimPO here is without the loss of CPO. Write 0.', 'SimPO ist hier ohne den Verlust von CPO. Schreib 0.'],
  ['it is not read here. Remove it.', 'Das wird hier nicht gelesen. Entferne es.'],
  ['it is not computed here. Remove it.', 'Das wird hier nicht gerechnet. Entferne es.'],
  ['it is not done here. Remove it.', 'Das wird hier nicht gemacht. Entferne es.'],
  [
    'a cosine that becomes constant is not computed. Remove it.',
    'Ein Kosinus, der konstant wird, wird nicht gerechnet. Entferne es.',
  ],
  [
    'tokens are not added to the model. Remove it.',
    'Dem Modell werden keine Tokens hinzugefügt. Entferne es.',
  ],
  [
    'weights are in NF4 or 16 bits. Write load_in_4bit, or neither.',
    'Gewichte liegen in NF4 oder 16 Bit. Schreib load_in_4bit, oder keines von beiden.',
  ],
  [
    'weights are in NF4 or 16 bits. Write 4, or remove it.',
    'Gewichte liegen in NF4 oder 16 Bit. Schreib 4, oder entferne es.',
  ],
  ['only adapters are trained. Remove it.', 'Trainiert werden nur Adapter. Entferne es.'],
  ['only adapters are trained. Write lora.', 'Trainiert werden nur Adapter. Schreib lora.'],
  ['only linear layers are adapted. Remove it.', 'Angepasst werden nur lineare Schichten. Entferne es.'],
  ['weights of GPTQ are not read. Remove it.', 'Gewichte von GPTQ werden nicht gelesen. Entferne es.'],
  ["the model's own rope is used. Remove it.", 'Benutzt wird das RoPE des Modells. Entferne es.'],
  ['attention is not shifted. Remove it.', 'Attention wird nicht verschoben. Entferne es.'],
  [
    'the loss of chosen answers is not added. Remove it.',
    'Der Verlust der erwünschten Antworten kommt nicht dazu. Entferne es.',
  ],
  ['the reference is the base model. Remove it.', 'Die Referenz ist das Basismodell. Entferne es.'],
  ['a file is taken whole. Cut it yourself.', 'Eine Datei wird ganz genommen. Kürze sie selbst.'],
  ['a file is trained whole. Cut it yourself.', 'Eine Datei wird ganz trainiert. Kürze sie selbst.'],
  [
    'write concat, and "mix_ratios" in a recipe of ours.',
    'Schreib concat, und „mix_ratios“ in einem Rezept von Finetab.',
  ],
  ['write "mix_ratios" in a recipe of ours.', 'Schreib „mix_ratios“ in einem Rezept von Finetab.'],
  ['files are read whole. Remove it.', 'Dateien werden ganz gelesen. Entferne es.'],
  ["the model's own template decides. Remove it.", 'Die Chatvorlage des Modells entscheidet. Entferne es.'],
  ['a run has one adapter. Remove it.', 'Ein Lauf hat einen Adapter. Entferne es.'],
  ['the only one is bitsandbytes, in NF4.', 'Es gibt nur bitsandbytes, in NF4.'],
  ['the only one is nf4.', 'Es gibt nur nf4.'],
  ['the only 4-bit type is nf4.', 'Der einzige Typ mit 4 Bit ist nf4.'],
  [
    'arguments of other optimisers are not read. Remove it.',
    'Argumente anderer Optimierer werden nicht gelesen. Entferne es.',
  ],
  ['there is AdamW alone. Remove it.', 'Es gibt nur AdamW. Entferne es.'],
  [
    'answers are cut with their prompts, by max_length. Remove it.',
    'Antworten werden mit ihren Prompts gekürzt, nach max_length. Entferne es.',
  ],
  ['prompts are not cut by themselves. Remove it.', 'Prompts werden nicht für sich gekürzt. Entferne es.'],
  [
    'rows are cut at their end. Write keep_start.',
    'Zeilen werden an ihrem Ende gekürzt. Schreib keep_start.',
  ],
  [
    'reward functions are Python: write "rewards" as the README has them.',
    'Belohnungsfunktionen sind Python: Schreib „rewards“, wie die README sie hat.',
  ],
  ['rows are packed by bfd. Write bfd.', 'Zeilen werden mit bfd gepackt. Schreib bfd.'],
  [
    "the model's own template and end token are used. Remove it.",
    'Benutzt werden die Chatvorlage und das Endtoken des Modells. Entferne es.',
  ],
  [
    'mixtures of data sets are not read: write train_file and mix_ratios. Remove it.',
    'Mischungen von Datensätzen werden nicht gelesen: Schreib train_file und mix_ratios. Entferne es.',
  ],
];
