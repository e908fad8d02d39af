/** Messages about adapters that are dropped or sent, in German. */
import type { MessagePairs } from '../translated.ts';

export const ADAPTER_MESSAGES: MessagePairs = [
  // Folders of PEFT.
  [
    'Use an adapter that PEFT or Finetab saved for a causal language model.',
    'Nimm einen Adapter, den PEFT oder Finetab für ein kausales Sprachmodell gespeichert hat.',
  ],
  [
    'adapter_model.bin is a PyTorch pickle, which Finetab does not read. Save the adapter with safe_serialization=True.',
    'adapter_model.bin ist ein Pickle von PyTorch, das Finetab nicht liest. Speichere den Adapter mit safe_serialization=True.',
  ],
  [
    'An adapter folder holds adapter_config.json and adapter_model.safetensors; {0} missing.',
    'Ein Adapterordner enthält adapter_config.json und adapter_model.safetensors; es fehlt: {0}.',
  ],
  ['the weights are', 'adapter_model.safetensors'],
  ['adapter_config.json is', 'adapter_config.json'],
  [
    'adapter_model.safetensors holds {0} twice: once as {1}. It is of two adapters: save the one that is wanted by itself. {2}',
    'adapter_model.safetensors enthält {0} zweimal: einmal als {1}. Sie gehört zu zwei Adaptern: Speichere den gewünschten für sich. {2}',
  ],
  [
    'adapter_model.safetensors: {0} is [{1}], where a matrix is wanted. {2}',
    'adapter_model.safetensors: {0} ist [{1}], wo eine Matrix stehen muss. {2}',
  ],
  [
    'adapter_model.safetensors: {0} is [{1}], which does not fit r = {2} of adapter_config.json.',
    'adapter_model.safetensors: {0} ist [{1}], was nicht zu r = {2} aus adapter_config.json passt.',
  ],
  ['adapter_model.safetensors holds no tensor. {0}', 'adapter_model.safetensors enthält keinen Tensor. {0}'],
  [
    'adapter_model.safetensors has no {0} for {1}: the file is incomplete. {2}',
    'adapter_model.safetensors hat kein {0} für {1}: Die Datei ist unvollständig. {2}',
  ],
  [
    'adapter_model.safetensors {0} lora_magnitude_vector for {1}, whose outputs are {2}: a DoRA adapter has one number for each. {3}',
    'adapter_model.safetensors {0} lora_magnitude_vector für {1} mit {2} Ausgängen: Ein DoRA-Adapter hat für jeden eine Zahl. {3}',
  ],
  ['has no', 'hat keinen'],
  ['has [{0}] as', 'hat [{0}] als'],
  [
    'adapter_model.safetensors holds {0}, a DoRA magnitude, but adapter_config.json does not say use_dora: true. Restore that key, or use an adapter without DoRA.',
    'adapter_model.safetensors enthält {0}, einen Betrag von DoRA, in adapter_config.json steht aber nicht use_dora: true. Stell den Schlüssel wieder her, oder nimm einen Adapter ohne DoRA.',
  ],
  [
    'adapter_model.safetensors: {0} holds NaN or infinite values: the adapter comes from a diverged run.',
    'adapter_model.safetensors: {0} enthält NaN oder unendliche Werte: Der Adapter stammt aus einem entgleisten Lauf.',
  ],
  [
    'adapter_model.safetensors: {0} is not a LoRA matrix of a linear layer, which is all that Finetab reads. {1}',
    'adapter_model.safetensors: {0} ist keine LoRA-Matrix einer linearen Schicht, und nur solche liest Finetab. {1}',
  ],
  [
    'adapter_config.json is not JSON. Export the adapter again.',
    'adapter_config.json ist kein JSON. Exportiere den Adapter noch einmal.',
  ],
  [
    'adapter_config.json is not a JSON object. Export the adapter again.',
    'adapter_config.json ist kein JSON-Objekt. Exportiere den Adapter noch einmal.',
  ],
  ['adapter_config.json: {0} is {1}; {2!}. {3}', 'adapter_config.json: {0} ist {1}; {2}. {3}'],
  ['only LORA adapters can be read', 'gelesen werden nur LoRA-Adapter'],
  ['it must be a positive whole number', 'es muss eine positive ganze Zahl sein'],
  ['it must be a positive number', 'es muss eine positive Zahl sein'],
  ['trained biases are not read', 'trainierte Biaswerte werden nicht gelesen'],
  [
    'of its keys names of modules are read, with \\. and \\d and up to three .* in them, not {0}',
    'als Schlüssel werden Namen von Modulen gelesen, mit \\. und \\d und bis zu drei .* darin, nicht {0}',
  ],
  ['its values must be positive numbers', 'die Werte müssen positive Zahlen sein'],
  ['only LoRA matrices are read', 'gelesen werden nur LoRA-Matrizen'],
  ['it must be false', 'es muss false sein'],
  [
    'such an adapter belongs to a base model that PEFT changes while it loads it; save it with path_initial_model_for_weight_conversion, or merge it',
    'ein solcher Adapter gehört zu einem Basismodell, das PEFT beim Laden ändert; speichere ihn mit path_initial_model_for_weight_conversion, oder füg ihn ein',
  ],
  [
    'Finetab does not know this key, which may change what the adapter computes',
    'Finetab kennt diesen Schlüssel nicht, und er kann ändern, was der Adapter rechnet',
  ],
  // GGUF.
  [
    'this GGUF is no LoRA adapter (general.type "adapter", adapter.type "lora").',
    'Diese GGUF-Datei ist kein LoRA-Adapter (general.type „adapter“, adapter.type „lora“).',
  ],
  [
    'the adapter is for the architecture "{0}", which Finetab does not read from GGUF.',
    'Der Adapter ist für die Architektur „{0}“, die Finetab nicht aus GGUF liest.',
  ],
  [
    '{0} is not a LoRA matrix of a linear layer, which is all that Finetab reads.',
    '{0} ist keine LoRA-Matrix einer linearen Schicht, und nur solche liest Finetab.',
  ],
  ['{0} holds NaN or infinite values.', '{0} enthält NaN oder unendliche Werte.'],
  ['{0} holds no LoRA matrix.', '{0} enthält keine LoRA-Matrix.'],
  [
    '{0} has no pair of LoRA matrices of one rank.',
    '{0} hat kein Paar von LoRA-Matrizen mit demselben Rang.',
  ],
  // Of a file, whatever is wrong with it.
  ['{0}: {1!}', '{0}: {1}'],
];
