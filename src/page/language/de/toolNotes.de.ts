/** Recipes of other tools, in German: what is meant otherwise here, said beside the recipe. */
import type { MessagePairs } from '../translated.ts';

export const TOOL_NOTES: MessagePairs = [
  [
    "Rows are packed by TRL's strategy bfd, and micro_batch_size counts packed rows; axolotl fills its bins in another order.",
    'Zeilen werden nach der Strategie bfd von TRL gepackt, und micro_batch_size zählt gepackte Zeilen; axolotl füllt seine Behälter in anderer Reihenfolge.',
  ],
  [
    "Rows are packed by TRL's strategy bfd, and none sees another of its bin (as neat_packing has it); LLaMA-Factory fills its bins in another order.",
    'Zeilen werden nach der Strategie bfd von TRL gepackt, und keine sieht eine andere ihres Behälters (wie bei neat_packing); LLaMA-Factory füllt seine Behälter in anderer Reihenfolge.',
  ],
  [
    'It names no warm-up: 3 % of the steps, as axolotl has it (there at most 100 steps).',
    'Es nennt kein Aufwärmen: 3 % der Schritte, wie bei axolotl (dort höchstens 100 Schritte).',
  ],
  [
    'evals_per_epoch is {0}: validation files are evaluated once an epoch. For more set eval_steps.',
    'evals_per_epoch ist {0}: Validierungsdateien werden einmal je Epoche ausgewertet. Für mehr setze eval_steps.',
  ],
  [
    "chat_template is {0}: the model's own template is used.",
    'chat_template ist {0}: Benutzt wird die Chatvorlage des Modells.',
  ],
  [
    "template is {0}: the model's own chat template is used.",
    'template ist {0}: Benutzt wird die Chatvorlage des Modells.',
  ],
  [
    "special_tokens is not used: end and padding are the model's own.",
    'special_tokens wird nicht benutzt: Ende und Auffüllung sind die des Modells.',
  ],
  [
    'The data set {0} is not downloaded: get its file and drop it as training rows.',
    'Der Datensatz {0} wird nicht heruntergeladen: Besorg seine Datei und lege sie als Trainingsdaten ab.',
  ],
  [
    'The data set {0} is not downloaded: get its file and drop it.',
    'Der Datensatz {0} wird nicht heruntergeladen: Besorg seine Datei und lege sie ab.',
  ],
  [
    'The rows of {0} are recognised by their keys, not by type {1}: look at them in the data section.',
    'Die Zeilen von {0} werden an ihren Schlüsseln erkannt, nicht am Typ {1}: Sieh sie dir beim Schritt Daten an.',
  ],
  ['Not understood of {0}, and not used: {1}.', 'Von {0} nicht verstanden und nicht benutzt: {1}.'],
  [
    'lora_target_linear is true: every linear layer is adapted, those of lora_target_modules among them.',
    'lora_target_linear ist true: Jede lineare Schicht wird angepasst, darunter die von lora_target_modules.',
  ],
  [
    '{0} names {1}, of dataset_info.json: drop the files themselves.',
    '{0} nennt {1}, aus dataset_info.json: Lege die Dateien selbst ab.',
  ],
  ['finetuning_type is lora.', 'Als finetuning_type gilt lora.'],
  [
    'double_quantization is false: the scales of NF4 blocks are quantised all the same.',
    'double_quantization ist false: Die Skalen der NF4-Blöcke werden trotzdem quantisiert.',
  ],
  [
    'label_smoothing is not used, as TRL does not use it for sigmoid and ipo: cDPO is a recipe of ours.',
    'label_smoothing wird nicht benutzt, wie TRL es für sigmoid und ipo nicht benutzt: Für cDPO schreib ein Rezept von Finetab.',
  ],
  [
    'Of conversations only the answers are learned from (assistant_only_loss: true); TRL learns from prompts too where this is not set.',
    'Von Gesprächen wird nur aus den Antworten gelernt (assistant_only_loss: true); TRL lernt auch aus Prompts, wo das nicht gesetzt ist.',
  ],
  [
    'It names no adapter (lora_r, …): r 16, lora_alpha 32 on every linear layer are used.',
    'Es nennt keinen Adapter (lora_r, …): Benutzt werden r 16 und lora_alpha 32 auf jeder linearen Schicht.',
  ],
  [
    'lora_target_modules is not given: q_proj and v_proj are adapted, as PEFT does for most models.',
    'lora_target_modules fehlt: Angepasst werden q_proj und v_proj, wie PEFT es bei den meisten Modellen tut.',
  ],
  [
    'The scales of NF4 blocks are quantised too (use_bnb_nested_quant), which this recipe does not ask for.',
    'Auch die Skalen der NF4-Blöcke werden quantisiert (use_bnb_nested_quant), was dieses Rezept nicht verlangt.',
  ],
];
