/** Messages of the class in German: what the teacher's server refuses, bundles by address, and adapters. */
import type { MessagePairs } from '../translated.ts';

export const CLASS_MESSAGES: MessagePairs = [
  // What the server refuses.
  ['This is too long.', 'Das ist zu lang.'],
  ['This is no JSON.', 'Das ist kein JSON.'],
  ['This is longer than {0} MiB.', 'Das ist länger als {0} MiB.'],
  ['The server failed at this.', 'Der Server ist daran gescheitert.'],
  [
    'This server answers for its own addresses only.',
    'Dieser Server antwortet nur unter seinen eigenen Adressen.',
  ],
  ['This can only be read.', 'Das lässt sich nur lesen.'],
  ['There is no such file.', 'Diese Datei gibt es nicht.'],
  ['There is no such thing in this class.', 'Das gibt es in dieser Klasse nicht.'],
  ['The board has no such thing.', 'Das gibt es an der Tafel nicht.'],
  ['There is no such adapter.', 'Diesen Adapter gibt es nicht.'],
  [
    'The board needs the secret that the terminal printed.',
    'Die Tafel braucht das Geheimnis, das im Terminal stand.',
  ],
  [
    'This is not the code of this class. It stands on the board.',
    'Das ist nicht der Code dieser Klasse. Er steht an der Tafel.',
  ],
  [
    'Too many wrong codes from here. Wait a minute.',
    'Von hier kamen zu viele falsche Codes. Warte eine Minute.',
  ],
  [
    'The name {0} is taken in this class. Add a letter of your surname. If that is you in another tab or after a restart, ask the teacher to remove the first.',
    'Den Namen {0} gibt es in dieser Klasse schon. Häng einen Buchstaben deines Nachnamens an. Bist du das in einem anderen Tab oder nach einem Neustart, dann bitte die Lehrkraft, den ersten wegzunehmen.',
  ],
  ['This class is full: it has {0} students.', 'Diese Klasse ist voll: {0} sind schon darin.'],
  [
    'This page is not in the class any more. Join again.',
    'Diese Seite ist nicht mehr in der Klasse. Tritt noch einmal bei.',
  ],
  ['This match is over: the votes are counted.', 'Dieser Vergleich ist vorbei: Die Stimmen sind ausgezählt.'],
  ['You have voted in this match already.', 'In diesem Vergleich hast du schon abgestimmt.'],
  [
    'A match needs one of the prompts and two students.',
    'Ein Vergleich braucht eine der Fragen und zwei aus der Klasse.',
  ],
  ['Both have to have answered this prompt.', 'Beide müssen diese Frage beantwortet haben.'],
  ['{0}: too many validation files', '{0}: zu viele Validierungsdateien'],
  ['This is no adapter: {0}', 'Das ist kein Adapter: {0}'],
  // Bundles from an address, and the Hub's address.
  [
    '{0} could not be fetched from {1}: the connection failed. Press again; what came so far is kept.',
    '{0} war von {1} nicht zu holen: Die Verbindung brach ab. Drücke noch einmal; was schon da ist, bleibt.',
  ],
  [
    '{0} does not answer ranges of {1}. Download the file there and drop it here.',
    '{0} schickt keine Teile von {1}. Lade die Datei dort herunter und lege sie hier ab.',
  ],
  [
    '{0} answered {1} for {2}. Check the address, or ask for the file.',
    '{0} antwortete für {2} mit {1}. Prüf die Adresse, oder bitte um die Datei.',
  ],
  [
    '{0} does not say how long {1} is. Download the file there and drop it here.',
    '{0} sagt nicht, wie lang {1} ist. Lade die Datei dort herunter und lege sie hier ab.',
  ],
  [
    'This page downloads models from {0} only, or from a hub on this computer (http://localhost:…), not from {1}. Remove "?hub=" from the page\'s address.',
    'Diese Seite lädt Modelle nur von {0} herunter, oder von einem Hub auf diesem Rechner (http://localhost:…), nicht von {1}. Nimm „?hub=“ aus der Adresse der Seite.',
  ],
  ['{0} is not the name of a model on the Hub. {1}', '{0} ist kein Name eines Modells auf dem Hub. {1}'],
  [
    'Write owner/name, such as HuggingFaceTB/SmolLM2-135M-Instruct, or owner/name@revision.',
    'Schreib Besitzer/Name, etwa HuggingFaceTB/SmolLM2-135M-Instruct, oder Besitzer/Name@Revision.',
  ],
  // Adapters that are blended.
  [
    'Nothing to blend: choose one adapter at least.',
    'Es gibt nichts zu mischen: Wähle mindestens einen Adapter.',
  ],
  ['The weight of {0} is no number.', 'Das Gewicht von {0} ist keine Zahl.'],
  [
    "{0} is a DoRA adapter: PEFT's linear blend leaves its magnitudes out. Train with use_dora: false to blend.",
    '{0} ist ein DoRA-Adapter: Die lineare Mischung von PEFT lässt seine Beträge weg. Trainiere zum Mischen mit use_dora: false.',
  ],
  [
    "{0} is rank-stabilised: PEFT's linear blend makes such adapters √r times as strong. Train with use_rslora: false to blend.",
    '{0} ist rangstabilisiert: Die lineare Mischung von PEFT macht solche Adapter √r-mal so stark. Trainiere zum Mischen mit use_rslora: false.',
  ],
  [
    '{0} has modules with a rank or an alpha of their own: such adapters are not blended.',
    '{0} hat Module mit eigenem Rang oder Alpha: Solche Adapter werden nicht gemischt.',
  ],
  [
    "{0} has rank {1}, {2} has rank {3}: a linear blend needs one rank. Use the class's recipe in every run.",
    '{0} hat Rang {1}, {2} hat Rang {3}: Eine lineare Mischung braucht einen Rang. Nimm in jedem Lauf das Rezept der Klasse.',
  ],
  [
    "{0} and {1} adapt different modules ({2}): a blend needs the same. Use the class's recipe in every run.",
    '{0} und {1} passen verschiedene Module an ({2}): Eine Mischung braucht dieselben. Nimm in jedem Lauf das Rezept der Klasse.',
  ],
  ['{0} and {1} belong to different models ({2}).', '{0} und {1} gehören zu verschiedenen Modellen ({2}).'],
];
