/**
 * Messages about runs in German, by their English: what ends, delays or refuses one, what is kept of it, the
 * GPU and the workers. As in rowMessages.de.ts: {0} and so on are what a message names.
 */
import type { MessagePairs } from '../translated.ts';

export const RUN_MESSAGES: MessagePairs = [
  // While it goes on.
  [
    'The {0} became NaN or infinite at step {1}; the step was not applied and the adapter is as it was before. Lower learning_rate, or check the training rows for extreme lengths.',
    'Bei Schritt {1} wurde „{0}“ NaN oder unendlich; der Schritt wurde nicht angewandt, und der Adapter ist wie davor. Senke learning_rate, oder prüf die Trainingszeilen auf extreme Längen.',
  ],
  ['gradient norm', 'Gradientennorm'],
  [
    'the loss is not a number: the adapter has diverged',
    'Der Verlust ist keine Zahl: Der Adapter ist entgleist',
  ],
  [
    '{0}: without it the best adapter and an early end cannot be decided, so the training stops. {1}, or start again with metric_for_best_model left empty.',
    '{0}: Ohne diesen Wert sind der beste Adapter und ein vorzeitiges Ende nicht zu entscheiden, also hält das Training an. {1}, oder beginne neu und lass metric_for_best_model leer.',
  ],
  [
    '{0} could not be evaluated at step {1}: {2}. Its {3} is the metric_for_best_model',
    '{0} konnte bei Schritt {1} nicht ausgewertet werden: {2}. {3} davon ist metric_for_best_model',
  ],
  [
    'The evaluation of step {0} has no {1}, which is the metric_for_best_model ({2})',
    'Die Auswertung von Schritt {0} hat kein {1}, und das ist metric_for_best_model ({2})',
  ],
  ['no row of the file asks for an answer', 'keine Zeile der Datei fragt nach einer Antwort'],
  ['Drop the file again and start again', 'Lege die Datei noch einmal ab und beginne neu'],
  [
    'The run is kept at step {0}: drop the file again and press Resume',
    'Der Lauf ist bei Schritt {0} aufbewahrt: Lege die Datei noch einmal ab und drücke „Fortsetzen“',
  ],
  [
    "This row is not drawn in the first {0} epochs: raise its file's mix_ratios.",
    'Diese Zeile wird in den ersten {0} Epochen nicht gezogen: Erhöhe mix_ratios ihrer Datei.',
  ],
  [
    'A row has {0} tokens, more than the {1} of a micro-batch. Lower max_length so that rows are cut.',
    'Eine Zeile hat {0} Tokens, mehr als die {1} eines Micro-Batches. Senke max_length, damit Zeilen gekürzt werden.',
  ],
  // Functions that score answers.
  [
    'The {0} {1} on line {2} of {3} {4!}. The answer was {5}. Mend the function, or set its "on_error" to "skip".',
    'Die Funktion „{1}“ ({0}) {4} (Zeile {2} von {3}). Die Antwort war {5}. Bessere die Funktion aus, oder setze ihr „on_error“ auf „skip“.',
  ],
  [
    'did not end within {0} s: look for an endless loop',
    'endete nicht in {0} s: Such nach einer Endlosschleife',
  ],
  ['calls itself too deeply', 'ruft sich zu tief selbst auf'],
  [
    'is no function but {0}: write (answer, reference, row) => a number',
    'ist keine Funktion, sondern {0}: Schreib (answer, reference, row) => eine Zahl',
  ],
  [
    'gave {0}: it must give a finite number, or null for no score',
    'ergab {0}: Sie muss eine endliche Zahl ergeben, oder null für keine Wertung',
  ],
  [
    'gave a promise: nothing is waited for. Give the number itself, without async',
    'ergab ein Promise: Darauf wird nicht gewartet. Gib die Zahl selbst zurück, ohne async',
  ],
  [
    'gave {0}: it must give a number, true, false, or null for no score',
    'ergab {0}: Sie muss eine Zahl, true, false oder null (keine Wertung) ergeben',
  ],
  ['asked for more than {0} MiB of memory', 'verlangte mehr als {0} MiB Speicher'],
  [
    'uses {0}, which there is not: a function sees its answer, its reference and its row, and neither network, page nor clock',
    'benutzt {0}, das es hier nicht gibt: Eine Funktion sieht ihre Antwort, ihre Referenz und ihre Zeile, aber weder Netz noch Seite noch Uhr',
  ],
  ['threw {0}: {1}', 'warf {0}: {1}'],
  [
    'needs a reference, which this row does not have: write its answer beside the prompt',
    'braucht eine Referenz, die diese Zeile nicht hat: Schreib ihre Antwort neben den Prompt',
  ],
  ['ended its worker: {0}', 'beendete ihren Worker: {0}'],
  [
    'The worker that scores answers could not be started: {0}',
    'Der Worker, der Antworten bewertet, ließ sich nicht starten: {0}',
  ],
  // What a run refuses, or asks for.
  ['A run is going on. {0}', 'Ein Lauf ist im Gang. {0}'],
  ['Try the memory when it has ended.', 'Probier den Speicher, wenn er zu Ende ist.'],
  ['Stop it first.', 'Halte ihn zuerst an.'],
  ['Its adapter answers when it has ended.', 'Sein Adapter antwortet, wenn er zu Ende ist.'],
  ['Rank the training rows when it has ended.', 'Ordne die Trainingszeilen, wenn er zu Ende ist.'],
  ['Its adapter is evaluated when it has ended.', 'Sein Adapter wird ausgewertet, wenn er zu Ende ist.'],
  ['Check the GPU when it has ended.', 'Prüf die GPU, wenn er zu Ende ist.'],
  ['Measure the GPU when it has ended.', 'Miss die GPU, wenn er zu Ende ist.'],
  [
    'This run was made with other rows: {0} has another SHA-256 now. Drop the file that it was started with. To go on with these rows all the same, press Resume once more; the run is then not what its recipe gives.',
    'Dieser Lauf wurde mit anderen Zeilen gemacht: {0} hat jetzt ein anderes SHA-256. Lege die Datei ab, mit der er begann. Um trotzdem mit diesen Zeilen weiterzumachen, drücke noch einmal „Fortsetzen“; der Lauf ist dann nicht, was sein Rezept ergibt.',
  ],
  [
    'This run was trained on {0}; this browser now offers {1}, which is many times slower and gives other bytes. Where the GPU was lost, Chromium gives it back after about two minutes: wait, or restart the browser. To go on as it is, press Resume once more.',
    'Dieser Lauf wurde auf {0} trainiert; dieser Browser bietet jetzt {1}, das vielfach langsamer ist und andere Bytes ergibt. Ging die GPU verloren, gibt Chromium sie nach etwa zwei Minuten zurück: Warte, oder starte den Browser neu. Um so weiterzumachen, drücke noch einmal „Fortsetzen“.',
  ],
  [
    'This run was trained on {0}; this is {1}. It would go on from the same numbers, but another adapter rounds otherwise: the bytes will be others than {2} would give. To go on here, press Resume once more.',
    'Dieser Lauf wurde auf {0} trainiert; das hier ist {1}. Er ginge von denselben Zahlen weiter, aber ein anderes Gerät rundet anders: Die Bytes werden andere als auf {2}. Um hier weiterzumachen, drücke noch einmal „Fortsetzen“.',
  ],
  [
    'This run has no checkpoint to go on from. Start it again.',
    'Dieser Lauf hat keinen Checkpoint, von dem er weitergehen könnte. Beginne ihn neu.',
  ],
  [
    'This run has no checkpoint to go on from.',
    'Dieser Lauf hat keinen Checkpoint, von dem er weitergehen könnte.',
  ],
  [
    'This run is training in another tab. Close that tab first.',
    'Dieser Lauf trainiert in einem anderen Tab. Schließ zuerst den.',
  ],
  [
    'This model is being imported in another tab. Wait until it is done, or cancel it there.',
    'Dieses Modell wird in einem anderen Tab importiert. Warte, bis es fertig ist, oder brich es dort ab.',
  ],
  [
    'The queue works in another tab of this browser, and goes on there.',
    'Die Warteschlange arbeitet in einem anderen Tab dieses Browsers und geht dort weiter.',
  ],
  [
    '{0} has no {1} {2} any more. Drop it again.',
    '{0} hat die Zeile {2} nicht mehr. Lege die Datei noch einmal ab.',
  ],
  ['the file was not read', 'Die Datei wurde nicht gelesen'],
  // Kept runs.
  ['This run is going on. Stop it first.', 'Dieser Lauf ist im Gang. Halte ihn zuerst an.'],
  [
    'This run is going on. Stop it first, then export it.',
    'Dieser Lauf ist im Gang. Halte ihn zuerst an und exportiere ihn dann.',
  ],
  [
    'This run is kept here already: resume it, or delete it first and take the file again.',
    'Dieser Lauf ist hier schon aufbewahrt: Setz ihn fort, oder lösch ihn zuerst und nimm die Datei noch einmal.',
  ],
  [
    'Choose a model first: the adapter is checked against it.',
    'Wähle zuerst ein Modell: Der Adapter wird damit geprüft.',
  ],
  [
    'This run is not kept in this browser any more.',
    'Dieser Lauf ist in diesem Browser nicht mehr aufbewahrt.',
  ],
  ['This run ended before it had an adapter.', 'Dieser Lauf endete, bevor er einen Adapter hatte.'],
  [
    'This run ended without an adapter. Resume it, or choose another run.',
    'Dieser Lauf endete ohne Adapter. Setz ihn fort, oder wähle einen anderen.',
  ],
  [
    'The adapter of step {0} is not kept. Choose another step.',
    'Der Adapter von Schritt {0} ist nicht aufbewahrt. Wähle einen anderen Schritt.',
  ],
  [
    "The folder holds the rows of the run, which this browser does not keep. Drop {0} and the validation files again, with the run's model chosen, and export once more.",
    'Der Ordner enthält die Zeilen des Laufs, die dieser Browser nicht aufbewahrt. Wähle das Modell des Laufs, lege {0} und die Validierungsdateien noch einmal ab, und exportiere dann.',
  ],
  [
    'The conversation and max_new_tokens come to {0} tokens; this model knows {1} positions. Start a new conversation, or lower max_new_tokens.',
    'Das Gespräch und max_new_tokens kommen auf {0} Tokens; dieses Modell kennt {1} Positionen. Beginne ein neues Gespräch, oder senke max_new_tokens.',
  ],
  // Files of runs.
  [
    'Export the run again where it was made, and take that file.',
    'Exportiere den Lauf dort, wo er gemacht wurde, noch einmal, und nimm diese Datei.',
  ],
  [
    'This file of a run lacks its adapter, its optimiser or its evaluations, or they do not fit together. {0}',
    'Dieser Datei eines Laufs fehlen Adapter, Optimierer oder Auswertungen, oder sie passen nicht zusammen. {0}',
  ],
  [
    'This file was written by a newer version of Finetab. Reload the page without a cache, or export the run again with this version.',
    'Diese Datei stammt von einer neueren Version von Finetab. Lade die Seite ohne Cache neu, oder exportiere den Lauf mit dieser Version noch einmal.',
  ],
  [
    'This is no file of a run in progress: its description is of another form. {0}',
    'Das ist keine Datei eines angefangenen Laufs: Ihre Beschreibung hat eine andere Form. {0}',
  ],
  [
    'This is no file of a run in progress: it cannot be unpacked. {0}',
    'Das ist keine Datei eines angefangenen Laufs: Sie lässt sich nicht auspacken. {0}',
  ],
  [
    'This is no file of a run in progress: {0} is missing. {1}',
    'Das ist keine Datei eines angefangenen Laufs: {0} fehlt. {1}',
  ],
  [
    '{0} in this file of a run is damaged: its checksum is another. {1}',
    '{0} in dieser Datei eines Laufs ist beschädigt: Die Prüfsumme ist eine andere. {1}',
  ],
];
