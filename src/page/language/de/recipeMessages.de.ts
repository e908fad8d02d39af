/** What is wrong with a recipe, in German: of ours, and of a sweep over it. */
import type { MessagePairs } from '../translated.ts';

export const RECIPE_MESSAGES: MessagePairs = [
  // Reading it.
  [
    'The recipe is not JSON: {0}. Check commas and quotation marks.',
    'Das Rezept ist kein JSON: {0}. Prüf Kommas und Anführungszeichen.',
  ],
  [
    'A recipe has at most {0} characters, this one has {1}. Is it a data file? Drop it as one.',
    'Ein Rezept hat höchstens {0} Zeichen, dieses hat {1}. Ist es eine Datendatei? Dann lege es als solche ab.',
  ],
  [
    'A recipe in YAML has at most {0} characters, this one has {1}. Write a longer one as JSON.',
    'Ein Rezept in YAML hat höchstens {0} Zeichen, dieses hat {1}. Schreib ein längeres als JSON.',
  ],
  [
    'The recipe is neither JSON nor YAML: {0} at line {1}, column {2}.',
    'Das Rezept ist weder JSON noch YAML: {0} in Zeile {1}, Spalte {2}.',
  ],
  ['it is nested too deep', 'Es ist zu tief verschachtelt'],
  ["The recipe's YAML cannot be read: {0}.", 'Das YAML des Rezepts ist nicht zu lesen: {0}.'],
  ['The recipe cannot be used: {0}', 'Das Rezept ist nicht zu gebrauchen: {0}'],
  [
    'it is a list; it must be an object in braces.',
    'Es ist eine Liste; es muss ein Objekt in geschweiften Klammern sein.',
  ],
  [
    '{0} is a list; it must be an object in braces.',
    '{0} ist eine Liste; es muss ein Objekt in geschweiften Klammern sein.',
  ],
  ['It must be an object in braces.', 'Es muss ein Objekt in geschweiften Klammern sein.'],
  ['"{0}" must be an object in braces.', '„{0}“ muss ein Objekt in geschweiften Klammern sein.'],
  ['"{0}" is not a key of a recipe: remove it.', '„{0}“ ist kein Schlüssel eines Rezepts: Entferne ihn.'],
  [
    '"{0}" is not a key of a recipe; did you mean "{1}"?',
    '„{0}“ ist kein Schlüssel eines Rezepts; meinst du „{1}“?',
  ],
  // What a value must be.
  ['"{0}" is {1}: it {2!}.', '„{0}“ ist {1}: Der Wert {2}.'],
  ['must be a number', 'muss eine Zahl sein'],
  ['must be a whole number', 'muss eine ganze Zahl sein'],
  ['must be positive', 'muss positiv sein'],
  ['must be positive, or null', 'muss positiv oder null sein'],
  ['must not be negative', 'darf nicht negativ sein'],
  ['must be a number that is not negative', 'muss eine Zahl sein, die nicht negativ ist'],
  ['must be between 0 and 1', 'muss zwischen 0 und 1 liegen'],
  ['must be below {0}', 'muss unter {0} liegen'],
  ['must be at least {0}', 'muss mindestens {0} sein'],
  ['must be at most 100,000 characters', 'darf höchstens 100.000 Zeichen haben'],
  ['must be at most {0}', 'darf höchstens {0} sein'],
  ['must be -1 (none) or positive', 'muss -1 (keine) oder positiv sein'],
  ['must be a share below 1 or a whole number', 'muss ein Anteil unter 1 oder eine ganze Zahl sein'],
  [
    'must be a share below 1 or a whole number of rows',
    'muss ein Anteil unter 1 oder eine ganze Zahl von Zeilen sein',
  ],
  ['must be true or false', 'muss true oder false sein'],
  ['must be text in quotation marks', 'muss ein Text in Anführungszeichen sein'],
  ['must be a number or text', 'muss eine Zahl oder ein Text sein'],
  ['must be an object', 'muss ein Objekt sein'],
  ['must be an object of file names', 'muss ein Objekt mit Dateinamen sein'],
  ['must be a list of file names', 'muss eine Liste von Dateinamen sein'],
  ['must be a list of keys', 'muss eine Liste von Schlüsseln sein'],
  ['must be a list of objects', 'muss eine Liste von Objekten sein'],
  ['must be null, a number or a list of numbers', 'muss null, eine Zahl oder eine Liste von Zahlen sein'],
  [
    'must be the name of a file, or a list of names',
    'muss der Name einer Datei oder eine Liste von Namen sein',
  ],
  [
    'must be the name of a metric such as "eval_math_loss"',
    'muss der Name eines Maßes sein, etwa „eval_math_loss“',
  ],
  [
    'must name a prompt and a response column, or a messages column, or a text column',
    'muss eine Spalte für prompt und eine für response nennen, oder eine für messages, oder eine für text',
  ],
  ['must be 14 hex digits', 'muss aus 14 Hexadezimalziffern bestehen'],
  ['must be null or one of {0}', 'muss null oder eines von {0} sein'],
  ['must be one of {0}', 'muss eines von {0} sein'],
  [
    'must be a letter, then letters, digits, _ or -',
    'muss ein Buchstabe sein, dann Buchstaben, Ziffern, _ oder -',
  ],
  ['must be letters of i, m, s and u', 'muss aus den Buchstaben i, m, s und u bestehen'],
  ['must be tokens, characters or words', 'muss tokens, characters oder words sein'],
  [
    'must be "all-linear", a list of module names or a regular expression',
    'muss „all-linear“, eine Liste von Modulnamen oder ein regulärer Ausdruck sein',
  ],
  [
    'must be true, false or "gaussian": LoftQ takes off 13 % of the error of NF4 at rank 16, training has no lead of it after 60 steps, and its adapter fits no other base (docs/performance.md)',
    'muss true, false oder „gaussian“ sein: LoftQ nimmt bei Rang 16 vom Fehler von NF4 13 % weg, das Training hat davon nach 60 Schritten keinen Vorsprung, und der Adapter passt zu keinem anderen Basismodell (docs/performance.md)',
  ],
  ['must be true, false or "gaussian"', 'muss true, false oder „gaussian“ sein'],
  [
    'must be 1: answers are learned from by the probabilities that they were sampled with',
    'muss 1 sein: Aus Antworten wird mit den Wahrscheinlichkeiten gelernt, mit denen sie gezogen wurden',
  ],
  ['must be "group", "batch", "none", true or false', 'muss „group“, „batch“, „none“, true oder false sein'],
  [
    'must be "bfd": rows are neither split nor wrapped into the next bin',
    'muss „bfd“ sein: Zeilen werden weder geteilt noch in den nächsten Behälter umgebrochen',
  ],
  [
    'must be true: only answers are learned from, never prompts. For whole texts give rows of "text"',
    'muss true sein: Gelernt wird nur aus Antworten, nie aus Prompts. Für ganze Texte nimm Zeilen mit „text“',
  ],
  ['must be "{0}", "{1}" or "{2}"', 'muss „{0}“, „{1}“ oder „{2}“ sein'],
  ['must be "{0}" or "{1}"', 'muss „{0}“ oder „{1}“ sein'],
  // Sweeps.
  ['"{0}" is a key of two groups: write {1}.', '„{0}“ ist ein Schlüssel zweier Gruppen: Schreib {1}.'],
  [
    '"{0}" is no key of a recipe that holds a number. Name one such as {1}.',
    '„{0}“ ist kein Schlüssel eines Rezepts, der eine Zahl hat. Nenne einen wie {1}.',
  ],
  [
    '{0} has no values: write numbers between commas.',
    '{0} hat keine Werte: Schreib Zahlen zwischen Kommas.',
  ],
  [
    '"{0}" in the values of {1} is no number: write such as 1e-4, 2e-4.',
    '„{0}“ unter den Werten von {1} ist keine Zahl: Schreib etwa 1e-4, 2e-4.',
  ],
  [
    '{0} has {1} twice: both runs would be the same. Take one out.',
    '{0} hat {1} zweimal: Beide Läufe wären gleich. Nimm einen heraus.',
  ],
  [
    '"{0}" is no sweep: write a key and its values, as lora.r=8,16.',
    '„{0}“ ist kein Sweep: Schreib einen Schlüssel und seine Werte, etwa lora.r=8,16.',
  ],
  [
    '{0} is swept twice: put all its values into one list.',
    '{0} kommt im Sweep zweimal vor: Schreib alle Werte in eine Liste.',
  ],
  [
    'These are {0} runs; a sweep has at most {1}. Leave some values out.',
    'Das sind {0} Läufe; ein Sweep hat höchstens {1}. Lass einige Werte weg.',
  ],
];
