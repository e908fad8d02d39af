/** Messages about the GPU, its memory, workers that end and adapters that do not fit, in German. */
import type { MessagePairs } from '../translated.ts';

export const DEVICE_MESSAGES: MessagePairs = [
  // The GPU.
  ['The GPU was lost ({0}).', 'Die GPU ging verloren ({0}).'],
  ['unknown reason', 'Grund unbekannt'],
  ['The GPU refused a command: {0}', 'Die GPU hat einen Befehl abgelehnt: {0}'],
  [
    'The GPU was lost {0} times at the same place; the run is kept at step {1}. {2!}',
    'Die GPU ging {0}-mal an derselben Stelle verloren; der Lauf ist bei Schritt {1} aufbewahrt. {2}',
  ],
  [
    'The GPU was lost {0} times at the same place; the run is kept at step {1}.',
    'Die GPU ging {0}-mal an derselben Stelle verloren; der Lauf ist bei Schritt {1} aufbewahrt.',
  ],
  [
    'Restart the browser or the computer and press Resume.',
    'Starte den Browser oder den Rechner neu, und drücke „Fortsetzen“.',
  ],
  [
    'Waiting for the GPU to come back: next attempt in {0} s.',
    'Die GPU muss erst zurückkommen: nächster Versuch in {0} s.',
  ],
  [
    'The GPU was lost and did not come back within three minutes. Restart the browser; nothing that was saved is lost, and a run goes on from its last checkpoint.',
    'Die GPU ging verloren und kam in drei Minuten nicht zurück. Starte den Browser neu; nichts Gespeichertes ist verloren, und ein Lauf geht von seinem letzten Checkpoint weiter.',
  ],
  [
    'This browser offers no WebGPU, so there is no GPU to check. Use a current Chrome, Edge or Safari with hardware acceleration on.',
    'Dieser Browser bietet kein WebGPU, also ist keine GPU zum Prüfen da. Nimm ein aktuelles Chrome, Edge oder Safari mit eingeschalteter Hardwarebeschleunigung.',
  ],
  [
    'This browser offers no WebGPU, so there is no GPU to measure. Use a current Chrome, Edge or Safari with hardware acceleration on.',
    'Dieser Browser bietet kein WebGPU, also ist keine GPU zum Messen da. Nimm ein aktuelles Chrome, Edge oder Safari mit eingeschalteter Hardwarebeschleunigung.',
  ],
  [
    'This browser offers no WebGPU, so there is no GPU to {0}. Use a current Chrome, Edge or Safari with hardware acceleration on.',
    'Dieser Browser bietet kein WebGPU, also ist keine GPU da ({0}). Nimm ein aktuelles Chrome, Edge oder Safari mit eingeschalteter Hardwarebeschleunigung.',
  ],
  [
    "{0} has no kernels of level {1} in this browser, only {2}. Take level={3} out of the page's address.",
    '{0} hat in diesem Browser keine Kernels der Stufe {1}, nur {2}. Nimm level={3} aus der Adresse der Seite.',
  ],
  [
    "The page's address says tune={0}: write tune=on or tune=off, or take it out.",
    'In der Adresse der Seite steht tune={0}: Schreib tune=on oder tune=off, oder nimm es heraus.',
  ],
  [
    "The page's address says level={0}: write level={1} or level=auto, or take it out.",
    'In der Adresse der Seite steht level={0}: Schreib level={1} oder level=auto, oder nimm es heraus.',
  ],
  [
    'The shader {0} did not compile on {1}: {2}. Update the browser and the graphics driver.',
    'Der Shader {0} ließ sich auf {1} nicht übersetzen: {2}. Aktualisiere Browser und Grafiktreiber.',
  ],
  [
    'TensorFlow.js found no backend in this browser. Use a current Chrome, Edge or Firefox.',
    'TensorFlow.js fand in diesem Browser kein Backend. Nimm ein aktuelles Chrome, Edge oder Firefox.',
  ],
  ['no time was left', 'die Zeit reichte nicht'],
  // Memory.
  [
    '{0} needs a buffer of {1} bytes; this GPU allows {2}. Use a smaller model or a lower max_length.',
    '{0} braucht einen Puffer von {1} Byte; diese GPU erlaubt {2}. Nimm ein kleineres Modell oder ein kleineres max_length.',
  ],
  [
    '{0} needs {1} MiB in one piece, but this GPU binds at most {2} MiB. Lower max_length or use a smaller model.',
    '{0} braucht {1} MiB in einem Stück, diese GPU bindet aber höchstens {2} MiB. Senke max_length, oder nimm ein kleineres Modell.',
  ],
  [
    'This run needs {0} of GPU memory at least, training.gpu_memory_limit_gib allows {1}. {2} raise the limit, lower max_length or lora.r, or use a smaller model.',
    'Dieser Lauf braucht mindestens {0} GPU-Speicher, training.gpu_memory_limit_gib erlaubt {1}. {2} erhöhe die Grenze, senke max_length oder lora.r, oder nimm ein kleineres Modell.',
  ],
  ['Set training.gradient_checkpointing to true,', 'Setze training.gradient_checkpointing auf true,'],
  ['It is already planned as small as it can be:', 'Kleiner lässt er sich nicht planen:'],
  [
    "The adapter's {0} [{1}] is larger than this GPU's largest buffer. Lower lora.r.",
    '{0} [{1}] des Adapters ist größer als der größte Puffer dieser GPU. Senke lora.r.',
  ],
  [
    'training.head_dtype is "q8_0", but the output head of this model cannot be kept in 8 bits: {0}. Set it to "auto" or "stored".',
    'training.head_dtype ist „q8_0“, der Ausgabekopf dieses Modells kann aber nicht in 8 Bit liegen: {0}. Setze es auf „auto“ oder „stored“.',
  ],
  ['it is the embedding as well', 'Er ist auch das Embedding'],
  ['it is stored as {0}', 'Er ist als {0} gespeichert'],
  [
    'its rows of {0} weights are no whole blocks of {1}',
    'Seine Zeilen von {0} Gewichten sind keine ganzen Blöcke von {1}',
  ],
  // Adapters and stored models that do not fit.
  [
    'The stored model has no tensor {0}. Import it again.',
    'Dem gespeicherten Modell fehlt der Tensor {0}. Importiere es noch einmal.',
  ],
  [
    'The adapter has no {0}. It was made for another model or other target_modules: use the recipe it was trained with.',
    'Dem Adapter fehlt {0}. Er wurde für ein anderes Modell oder andere target_modules gemacht: Nimm das Rezept, mit dem er trainiert wurde.',
  ],
  [
    "The adapter's {0} is [{1}], this model with this recipe needs [{2}]. Set lora.r as the adapter has it.",
    '{0} des Adapters ist [{1}], dieses Modell braucht mit diesem Rezept [{2}]. Setze lora.r, wie der Adapter es hat.',
  ],
  [
    'The adapter has {0}, which this recipe does not train. Set lora.target_modules as the adapter has them.',
    'Der Adapter hat {0}, was dieses Rezept nicht trainiert. Setze lora.target_modules, wie der Adapter sie hat.',
  ],
  [
    '"{0}" of lora is no regular expression that can be read here. Check its brackets, or name modules in a list.',
    '„{0}“ bei lora ist kein regulärer Ausdruck, der hier zu lesen ist. Prüf seine Klammern, oder nenne Module in einer Liste.',
  ],
  [
    'lora.target_modules is empty: write "all-linear" or name at least one module.',
    'lora.target_modules ist leer: Schreib „all-linear“, oder nenne mindestens ein Modul.',
  ],
  [
    'lora.target_modules names "{0}", which this model does not have. Its linear layers are: {1}.',
    'lora.target_modules nennt „{0}“, das dieses Modell nicht hat. Seine linearen Schichten sind: {1}.',
  ],
  [
    'lora.layers_to_transform needs target_modules as a list of names, as in PEFT. Name the modules, or remove layers_to_transform.',
    'lora.layers_to_transform braucht target_modules als Liste von Namen, wie in PEFT. Nenne die Module, oder entferne layers_to_transform.',
  ],
  [
    "lora.target_modules, exclude_modules and layers_to_transform leave no module to train. The model's linear layers are: {0}.",
    'lora.target_modules, exclude_modules und layers_to_transform lassen kein Modul zum Trainieren übrig. Die linearen Schichten des Modells sind: {0}.',
  ],
  [
    'lora.{0} names "{1}", which no trained module\'s name ends in. Remove it, or correct it.',
    'lora.{0} nennt „{1}“, worauf kein Name eines trainierten Moduls endet. Entferne oder berichtige es.',
  ],
  // Workers.
  [
    'The {0} worker ended before it was done: {1}. Try again.',
    'Der Worker „{0}“ endete, bevor er fertig war: {1}. Versuch es noch einmal.',
  ],
  [
    'it ended without an error, as when memory runs out',
    'Ende ohne Fehlermeldung, wie wenn der Arbeitsspeicher ausgeht',
  ],
  [
    "it did not finish one step within two minutes, and was ended: the model's chat template (chat_template.jinja or tokenizer_config.json), a pattern of its tokenizer.json, or a row does not end. Use the model's original files, or look at the longest rows",
    'in zwei Minuten kein Schritt fertig, darum beendet: Die Chatvorlage des Modells (chat_template.jinja oder tokenizer_config.json), ein Muster seiner tokenizer.json oder eine Zeile kommt zu keinem Ende. Nimm die ursprünglichen Dateien des Modells, oder sieh dir die längsten Zeilen an',
  ],
  ['the worker could not be loaded', 'der Worker ließ sich nicht laden'],
  ['a message could not be read', 'eine Nachricht war nicht zu lesen'],
  ['the page ended it', 'die Seite hat ihn beendet'],
  [
    'The memory that took its place is gone too ({0}).',
    'Auch der Arbeitsspeicher, der das ersetzt hat, ist weg ({0}).',
  ],
];
