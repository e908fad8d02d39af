/** Deutsch. */
import { ADAPTER_MESSAGES } from './de/adapterMessages.de.ts';
import { CLASS_MESSAGES } from './de/classMessages.de.ts';
import { DEVICE_MESSAGES } from './de/deviceMessages.de.ts';
import { RECIPE_MESSAGES } from './de/recipeMessages.de.ts';
import { RUN_MESSAGES } from './de/runMessages.de.ts';
import { SETTING_MESSAGES } from './de/settingMessages.de.ts';
import { TOOL_MESSAGES } from './de/toolMessages.de.ts';
import { TOOL_NOTES } from './de/toolNotes.de.ts';
import type { Messages } from './en.ts';
import { MODEL_MESSAGES } from './modelMessages.de.ts';
import { ROW_MESSAGES } from './rowMessages.de.ts';
import { translator } from './translated.ts';
import {
  bytes,
  clause,
  compact,
  dateAndTime,
  duration,
  fixed,
  integer,
  isolated,
  list,
  plural,
  share,
  significant,
} from './numbers.ts';

const translateRowMessage = translator(ROW_MESSAGES);
const translateMessage = translator([
  ...MODEL_MESSAGES,
  ...RUN_MESSAGES,
  ...DEVICE_MESSAGES,
  ...RECIPE_MESSAGES,
  ...SETTING_MESSAGES,
  ...TOOL_MESSAGES,
  ...TOOL_NOTES,
  ...CLASS_MESSAGES,
  ...ADAPTER_MESSAGES,
]);

/** Was ein Mensch geschrieben hat, in Anführungszeichen. */
const quoted = (text: string) => `„${isolated(text)}“`;
const rows = (count: number) => plural(count, { one: '# Zeile', other: '# Zeilen' });
const unitNames = { line: 'Zeile', row: 'Zeile' } as const;

const common: Messages['common'] = {
  stop: 'Anhalten',
  cancel: 'Abbrechen',
  open: 'Öffnen',
  edit: 'Bearbeiten',
  delete: 'Löschen',
  remove: 'Entfernen',
  save: 'Speichern',
  model: 'Modell',
  of: (count) => `von ${integer(count)}`,
  countOf: (done, total) => `${integer(done)} von ${integer(total)}`,
  removeNamed: (name) => `${isolated(name)} entfernen`,
  deleteNamed: (name) => `${isolated(name)} löschen`,
};

const layout: Messages['layout'] = {
  language: 'Sprache',
  automatic: (name) => `Auto: ${name}`,
  themes: { system: 'Wie das System', light: 'Hell', dark: 'Dunkel' },
  purpose: 'Trainiere ein Sprachmodell nach, auf der Grafikkarte dieses Rechners.',
  nothingLeaves: 'Nichts verlässt den Browser.',
  nothingLeavesButShared: 'Nichts verlässt den Browser außer dem, was du deiner Lehrkraft schicken willst.',
  notKept: (reason) =>
    `Dieser Browser bewahrt für diese Seite keine Daten auf (${translateMessage(reason)}). Modelle, Läufe und Einstellungen liegen im Speicher dieses Tabs: Sie sind weg, wenn er geschlossen oder neu geladen wird; lade den Adapter also herunter, wenn ein Lauf zu Ende ist. Um sie zu behalten, erlaube Websitedaten für diese Adresse und lade neu.`,
  steps: { model: 'Modell', data: 'Daten', recipe: 'Rezept', run: 'Lauf', result: 'Ergebnis' },
  importing: (name, part) => `${isolated(name)} wird importiert, ${Math.round(100 * part)} %`,
  chosen: ({ name, quantization, storedBytes }) =>
    `${isolated(name)}, ${model.weights[quantization]}, ${bytes(storedBytes)}`,
  chooseModel: 'Wähle ein gespeichertes Modell oder lege ein anderes ab',
  dropModel: 'Lege ein Modell ab',
  needsTraining: 'Trainingsdaten fehlen',
  filesWait: (count) =>
    `${plural(count, { one: 'Eine Datei ist', other: '# Dateien sind' })} da; zum Lesen fehlt ein Modell`,
  dataReady: (name, count, sets) =>
    `${isolated(name)}: ${rows(count)}; ${sets === 0 ? 'keine Validierungsdaten' : plural(sets, { one: '# Validierungsdatei', other: '# Validierungsdateien' })}`,
  recipeSteps: (recipeName, steps) => `${recipeName}, ${integer(steps)} Schritte`,
  waits: 'Wartet auf das, was fehlt',
  planning: 'Wird geplant',
  ready: 'Bereit zum Trainieren',
  trained: (step, seconds) => `Adapter von Schritt ${integer(step)}, trainiert in ${duration(seconds)}`,
  comesWhenItEnds: 'Kommt am Ende des Laufs; du kannst ihn anhalten und behalten, was er gelernt hat',
  comesAfter: 'Kommt nach dem Lauf',
  voteWaits: 'Eine Abstimmung wartet auf dich',
  inClassAs: (name) => `Als ${isolated(name)}`,
  runs: (count) => (count === 0 ? 'Noch keine Läufe' : plural(count, { one: '# Lauf', other: '# Läufe' })),
  bundlesLessons: 'Bündel, Unterricht',
  storage: 'Speicher',
  checkAndMeasure: 'Prüfen und messen',
  nextModel: 'Als Nächstes: ein Modell',
  nextData: 'Als Nächstes: Trainingsdaten',
  dataProblem: 'Sieh dir die Daten an',
  recipeProblem: 'Im Rezept steckt ein Fehler',
  runFailed: 'Der Lauf ist gescheitert',
  goTo: {
    model: 'Zum Modell',
    data: 'Zu den Daten',
    recipe: 'Zum Rezept',
    run: 'Zum Lauf',
    result: 'Zum Ergebnis',
  },
  trainNow: 'Jetzt trainieren',
  doing: (what, secondsLeft) =>
    `${what}${Number.isFinite(secondsLeft) ? `, noch ${duration(secondsLeft)}` : ''}`,
  doneSteps: (steps) => `Fertig: ${plural(steps, { one: '# Schritt', other: '# Schritte' })}`,
  tabDone: 'Fertig',
  tabStopped: 'Angehalten',
  dismiss: 'Schließen',
  stepsList: 'Schritte',
  tools: 'Werkzeuge',
  runProgress: 'Fortschritt des Laufs',
  colours: 'Farben',
};

/** When a row is trained: at a 0-based step of so many, at none, or, of a validation file, at evaluations. */
function turnOf(step: number | null, steps: number | null): string {
  if (step === null || steps === null) return 'Bei jeder Auswertung';
  return step < steps
    ? `Zuerst trainiert in Schritt ${step + 1} von ${steps}`
    : `Nicht trainiert: Die Zeile ist in Schritt ${step + 1} an der Reihe, und der Lauf endet nach Schritt ${steps}. Dort`;
}

const data: Messages['data'] = {
  rows,
  columnKinds: { pair: 'Ein Prompt und eine Antwort', messages: 'Ein Gespräch', text: 'Ein reiner Text' },
  emptyInFirstRows: '(leer in den ersten Zeilen)',
  columnsOf: (file) => `Spalten von ${isolated(file)}`,
  promptColumn: 'Prompt: wird nur gelesen',
  answerColumn: 'Antwort: daraus wird gelernt',
  systemColumn: 'Systemnachricht',
  turnsColumn: 'Beiträge: eine Liste mit role und content',
  textColumn: 'Text: aus allem wird gelernt',
  chooseColumn: 'Spalte wählen',
  noSystemColumn: 'keine (system_prompt)',
  heldOutOf: (names) => `zurückgehaltene Zeilen aus ${isolated(names)}`,
  readingStopped: (name, reached) =>
    `Das Lesen von ${isolated(name)} wurde angehalten${reached}. Lies die Datei noch einmal oder entferne sie.`,
  readingFailed: (name, reason) =>
    `${isolated(name)} konnte nicht gelesen werden: ${clause(translateMessage(reason))}. Entferne die Datei und lege sie noch einmal ab; teile sie, wenn sie sehr groß ist.`,
  workerRestarted: (reason) =>
    `Der Worker, der diese Datei hält, ist ausgefallen (${translateMessage(reason)}). Er wurde neu gestartet und liest die Datei noch einmal.`,
  workerEndedAgain: (name, reason) =>
    `Der Worker, der ${isolated(name)} hält, ist wieder ausgefallen: ${clause(translateMessage(reason))}. Entferne die Datei und lege sie noch einmal ab.`,
  readAgain: (path) => `${isolated(path)} war schon da und wurde neu gelesen.`,
  joined: (names) =>
    `${list(names.map(isolated))} sind zusammengefügt: Sie werden wie eine einzige Datei trainiert. Ist das nicht gemeint, wähle auf einer Karte eine andere Rolle oder entferne eine Datei.`,
  dropTrainingFile: 'Lege Trainingsdaten ab.',
  isBeingRead: (name) => `${isolated(name)} wird gerade gelesen.`,
  unknownFormat: (name) => `${isolated(name)} hat kein bekanntes Format. Wähle oben die Spalten.`,
  problemAt: ({ file, unit, line, reason }) =>
    `${isolated(file)}, ${unitNames[unit]} ${line}: ${isolated(reason)}`,
  noUsableRow: (name) => `${isolated(name)} hat keine Zeile, mit der sich trainieren lässt.`,
  badRows: (name, count) =>
    `${isolated(name)} hat ${plural(count, { one: 'eine fehlerhafte Zeile', other: '# fehlerhafte Zeilen' })}: Bessere die Datei aus oder trainiere ohne sie.`,
  formatPairs: '`query`, `response` oder `prompt`, `completion` (Texte oder Listen von Beiträgen)',
  formatAlpaca: 'Alpaca: `instruction`, `input`, `output`',
  formatConversations:
    'Gespräche: `messages` aus `role`, `content`; bei ShareGPT `conversations` aus `from`, `value`',
  formatText: 'reiner Text: `text`; aus allem wird gelernt',
  leftOutByRecipe: (count) =>
    `${plural(count, { one: '# Zeile lässt', other: '# Zeilen lässt' })} das Rezept aus (left_out_rows).`,
  figures: {
    rows: 'Zeilen',
    tokens: 'Tokens',
    learnedFrom: 'davon gelernt',
    longest: 'längste Zeile',
    truncated: 'gekürzt',
    repeated: 'doppelt',
    leftOut: 'ausgelassen',
  },
  trainingFiles: (count) =>
    plural(count, { one: 'Trainingsdaten', other: 'Trainingsdaten, # Dateien zusammengefügt' }),
  validationSet: (name) => `Validierungsdaten ${quoted(name)}`,
  stopReading: (name) => `Lesen von ${isolated(name)} anhalten`,
  readFileAgain: (name) => `${isolated(name)} noch einmal lesen`,
  leakage: 'Leck',
  sharedPrompts: 'Gleiche Prompts',
  leak: ({ rows: same, prompts, of, other, isTraining }) => {
    const name = isolated(other);
    const parts: string[] = [];
    if (same > 0)
      parts.push(
        `${rows(same)} von ${integer(of)} (${share(same, of)}) ${same === 1 ? 'steht' : 'stehen'} auch in ${name}`,
      );
    if (prompts > 0)
      parts.push(
        `${rows(prompts)} ${prompts === 1 ? 'hat' : 'haben'} denselben Prompt wie eine Zeile von ${name}, aber eine andere Antwort`,
      );
    const meaning = isTraining
      ? `Was hier auswendig gelernt wird, lässt ${name} besser aussehen, als das Modell ist.`
      : 'Das Modell sieht sie im Training; die Werte dieser Datei sind also zu gut.';
    return `${parts.join(', und ')}. ${same > 0 ? `${meaning} Nimm sie aus einer der beiden heraus.` : ''}`;
  },
  samePlace: (place, other) => `${place} ist ${other}`,
  place: (unit, line, file) =>
    `${unitNames[unit]} ${integer(line)}${file === undefined ? '' : ` von ${isolated(file)}`}`,
  placeThere: (line, file) =>
    `dort Nummer ${integer(line)}${file === undefined ? '' : ` von ${isolated(file)}`}`,
  inFile: (file, unit, line) =>
    `${file === undefined ? '' : `${isolated(file)}, `}${unitNames[unit]} ${integer(line)}`,
  truncatedHeading: 'Gekürzt',
  truncated: ({ rows: all, tokens, truncatedRows, truncatedTokens }, maxLength) =>
    `${rows(truncatedRows)} von ${integer(all)} (${share(truncatedRows, all)}) ${truncatedRows === 1 ? 'ist' : 'sind'} länger als max_length, ${integer(maxLength)}; ${integer(truncatedTokens)} von ${integer(tokens + truncatedTokens)} Tokens (${share(truncatedTokens, tokens + truncatedTokens)}) fallen am Ende weg. Mit einem größeren max_length bleiben sie.`,
  repeatedHeading: 'Doppelt',
  repeated: (count, of) =>
    `${rows(count)} (${share(count, of)}) ${count === 1 ? 'sagt' : 'sagen'}, was eine frühere Zeile dieser Datei schon sagt, und ${count === 1 ? 'zählt' : 'zählen'} darum mehrfach.`,
  holdOutAs: 'der Trainingszeilen als Validierungsdaten (val_set_size)',
  holdOutHow: 'Welche, bestimmt der Seed des Rezepts; gleiche Zeilen bleiben auf derselben Seite.',
  lengths: ({ bars, binTokens, end, most, maxLength, truncatedRows }) =>
    `Zeilen nach Länge: ${bars} Balken zu ${integer(binTokens)} Tokens bis ${integer(end)}; der höchste hat ${integer(most)} Zeilen.${truncatedRows > 0 ? ` ${integer(truncatedRows)} sind länger als max_length, ${integer(maxLength)}.` : ''}`,
  lengthBar: (from, to, count) => `${integer(from)}–${integer(to)} Tokens: ${rows(count)}`,
  tokensPerRow: 'Tokens je Zeile',
  lineIsMaxLength: (maxLength) => `; der Strich ist max_length, ${integer(maxLength)}`,
  shownOncePlanned: (error) =>
    `Die Tensoren erscheinen, sobald sich der Lauf planen lässt${error ? `: ${error}` : ''}.`,
  row: 'Zeile',
  rowToPreview: (name) => `Zeile von ${isolated(name)}, die gezeigt wird`,
  microBatch: ({ step, steps, index, of, batch, rows: packed }) =>
    `${turnOf(step, steps)}, Micro-Batch ${index + 1} von ${of}: ${integer(batch.tokens)} Tokens, ${rows(packed.length)}, ${integer(batch.supervisedTokens)} Tokens gelernt.`,
  rowLies: (place, from, to) => `Diese Zeile (${place}) liegt bei ${from} bis ${to}.`,
  tokensOfMicroBatch: (learned, tokens) => `Tokens des Micro-Batchs: ${learned} von ${tokens} werden gelernt`,
  showAllTokens: (count) => `Alle ${integer(count)} Tokens zeigen`,
  predictsNothing: 'nichts (−100)',
  padding: 'Auffüllung',
  learned: 'gelernt',
  onlyRead: 'nur gelesen',
  special: 'Sondertoken',
  roleOf: (name) => `Rolle von ${isolated(name)}`,
  saveMended: (name) => `${isolated(name)} ausgebessert speichern`,
  edit: (place) => `${place} bearbeiten`,
  delete: (place) => `${place} löschen`,
  textOf: (place) => `Text von ${place}`,
  rowsLeftOut: (count) =>
    plural(count, { one: '# Zeile wird ausgelassen', other: '# Zeilen werden ausgelassen' }),
  leftOutOf: (file) => `Ausgelassene Zeilen von ${isolated(file)}`,
  cannotBeEdited: (file) =>
    `Zeilen von ${isolated(file)} lassen sich hier nicht bearbeiten. Wandle die Datei in JSON Lines um (in Python mit \`to_json\` von pandas oder datasets), bessere sie aus und lege sie noch einmal ab, oder trainiere ohne die fehlerhaften Zeilen.`,
  firstShown: (count) => `Gezeigt werden die ersten ${count}.`,
  noTokenToLearn: (file) =>
    `${isolated(file)} hat kein Token, aus dem sich lernen lässt. Prüfe die Antworten und das Chat-Template.`,
  padIsEnd: (token) =>
    `Das Token ${token} füllt bei diesem Modell Batches auf und beendet zugleich Antworten. Nimm ein Modell mit einem anderen Fülltoken.`,
  noRowEnds: (file, first) =>
    `Keine Zeile von ${isolated(file)} endet mit einem Token, das Antworten beendet (als erste ${first}): Das Modell würde nie lernen aufzuhören. Nimm ein Modell, dessen Chat-Template die Antwort abschließt.`,
  reading: (done, total) => {
    if (total > 0) return `Zeilen werden gelesen: ${integer(done)} von ${integer(total)}`;
    return done > 0 ? `Zeilen werden gezählt: ${integer(done)}` : 'Zeilen werden gelesen';
  },
  stoppedAt: (done, total) => {
    if (total > 0) return `, bei Zeile ${integer(done)} von ${integer(total)}`;
    return done > 0 ? `, beim Zählen der Zeilen, bei ${integer(done)}` : '';
  },
  distilIntro: (usual) =>
    `Ein Server auf diesem Rechner, der die Schnittstelle von OpenAI spricht, kann deine Prompts beantworten: ${usual}. Dieser Besuch darf keine solche Adresse erreichen. Wenn du eine erlaubst, lädt die Seite damit neu: Lege deine Dateien erst danach ab.`,
  address: 'Adresse',
  distilMayAsk: (origin) =>
    `Dieser Besuch darf \`${origin}\` fragen und tut es, wenn du einen Knopf drückst. Die Prompts gehen, jeder hinter dem System-Prompt des Rezepts, dorthin und sonst nirgendwohin.`,
  askForAnswers: (count) => `${plural(count, { one: '# Antwort', other: '# Antworten' })} holen`,
  answerTo: (prompt) => `Antwort auf ${isolated(prompt)}`,
  keepAsRows: (count) =>
    plural(count, { one: '# als Trainingszeile behalten', other: '# als Trainingszeilen behalten' }),
  noAddress: (address) => `${address} ist keine Adresse. Schreib eine wie http://localhost:11434.`,
  notOnThisComputer: (origin) =>
    `${origin} liegt nicht auf diesem Rechner, und anderswohin werden keine Prompts geschickt. Schreib http://localhost: und einen Port.`,
  serverHasNoModel: (origin) =>
    `${origin} hat kein Modell. Lade dort eines, etwa mit „ollama pull“, und frag noch einmal.`,
  serverGaveNoAnswer: (origin) =>
    `${origin} hat nicht geantwortet: Spricht der Server die Schnittstelle von OpenAI, mit /v1/chat/completions?`,
  answerCutOff: (tokens) =>
    `Die Antwort brach nach ${tokens} Tokens ab. Erlaube mehr oder frag etwas Kürzeres.`,
  serverRefused: (url, status, reason) => `${url} antwortete mit ${status}: ${reason || 'ohne Grund'}.`,
  serverNoJson: (url, reason) =>
    `${url} antwortete nicht in JSON: ${clause(reason)}. Spricht der Server die Schnittstelle von OpenAI?`,
  serverNoCors: (origin, page) =>
    `${origin} ist da, lässt diese Seite seine Antworten aber nicht lesen (CORS). Ollama: Starte es mit OLLAMA_ORIGINS=${page} in der Umgebung. LM Studio: Schalte „Enable CORS“ in den Einstellungen des Servers ein. Der Server von llama.cpp erlaubt es von selbst.`,
  serverUnreachable: (origin) =>
    `${origin} ist nicht zu erreichen. Läuft der Server, und auf diesem Port? Auch ein Host mit eigener Policy kann es verbieten, und der Browser fragt vielleicht, ob diese Seite Geräte in deinem Netz erreichen darf: Erlaube es.`,
  thisPage: 'diese Seite',
  emptyAnswers: (count) => `Antworten, die nichts sagen: ${integer(count)}`,
  foreignRows: (usual, count) =>
    `Zeilen in einer anderen Sprache als ${usual ?? 'die meisten'}: ${integer(count)}`,
  rankRowsOf: (name) => `Zeilen von ${isolated(name)} nach Verlust ordnen`,
  scoring: (done, total) =>
    `Wird bewertet${total > 0 ? `: Micro-Batch ${integer(done + 1)} von ${integer(total)}` : ''}`,
  scoredRows: (ranked, of) =>
    `${integer(ranked)} von ${integer(of)} Zeilen wurden bewertet, gleichmäßig über die Datei verteilt.`,
  leaveOutNamed: (place) => `${place} auslassen`,
  notEvaluatedYet:
    'Diese Datei wurde noch nicht ausgewertet. Trainiere zuerst; geordnet wird nach der letzten Auswertung.',
  noResultToScoreWith:
    'Es gibt noch kein Ergebnis, mit dem sich die Zeilen bewerten lassen. Trainiere zuerst oder öffne einen früheren Lauf dieses Modells.',
  longestRows: 'Die längsten Zeilen',
  rowsCutMost: 'Am stärksten gekürzte Zeilen',
  rankRowsByLoss: 'Zeilen nach Verlust ordnen',
  stopScoring: 'Bewertung anhalten',
  highestLossToken: 'Höchster Verlust je Token',
  lowestLossToken: 'Niedrigster Verlust je Token',
  leaveOut: 'Auslassen',
  holdOut: 'Zurückhalten:',
  holdOutPercent: 'Prozent der Trainingszeilen, die zurückgehalten werden',
  whatColumns: 'Was steht in den Spalten?',
  useTheseColumns: 'Diese Spalten verwenden',
  chooseDataFiles: 'Dateien wählen',
  dropHint:
    'Lege eine Trainingsdatei und beliebig viele Validierungsdateien ab: JSON Lines, eine JSON-Liste, CSV oder Parquet. Namen oder Ordner mit val, valid, validation, dev, test oder eval sind Validierungsdaten, jede mit eigener Kurve; auf jeder Karte steht, wofür die Datei da ist, und dort kannst du es ändern.',
  rowsWaitForModel: 'Die Zeilen werden gelesen, sobald ein Modell da ist: Sein Tokenizer bestimmt, wie.',
  formatsRecognised: 'Erkannte Formate',
  formatOther: 'alles andere mit Spalten: Du sagst, was sie sind',
  useThemAgain: 'Alle wieder verwenden',
  useAgain: 'Wieder verwenden',
  useAgainNamed: (place) => `${place} wieder verwenden`,
  leftOutElsewhere: (count) =>
    `${plural(count, { one: '# davon ist', other: '# davon sind' })} in keiner dieser Dateien.`,
  maskHeading: 'Was aus einer Zeile gelernt wird',
  previous: 'Zurück',
  next: 'Weiter',
  wholeMicroBatch: 'der ganze Micro-Batch, mit den anderen Zeilen und der Auffüllung',
  token: 'Token',
  mustPredict: 'muss vorhersagen',
  soItIs: 'also',
  specialToken: 'Sondertoken',
  distilHeading: 'Zeilen aus den Antworten eines anderen Modells auf diesem Rechner',
  allowReload: 'Erlauben und neu laden',
  listModels: 'Modelle auflisten',
  mostTokens: 'Höchstens Tokens',
  temperature: 'Temperatur',
  promptsOneLine: 'Prompts, einer je Zeile',
  answersKeep: 'Antworten zum Behalten',
  leaveItOut: 'Weglassen',
  saveThemAsFile: 'Als Datei speichern',
  keepText: 'Diesen Text behalten',
  readItAgain: 'Noch einmal lesen',
  unknownFormatHelp:
    'Diese Datei hat keines der Formate, die an ihren Spalten zu erkennen sind. Sag, was in den Spalten steht; das Rezept merkt es sich.',
  usedFor: 'Zweck',
  training: 'Training',
  validation: 'Validierung',
  saveMendedFile: 'Ausgebesserte Datei speichern',
  trainWithoutBadRows: 'Ohne die fehlerhaften Zeilen trainieren',
};

const recipe: Messages['recipe'] = {
  presets: {
    quick: {
      name: 'Kurzer Blick',
      purpose: 'Lernt es überhaupt?',
      means:
        '40 Schritte mit einem kleinen Adapter. Zeigt, ob die Daten so gelesen werden, wie du es meinst, und ob der Verlust fällt; nicht zum Verwenden gedacht.',
    },
    balanced: {
      name: 'Ausgewogen',
      purpose: 'Was die meisten wollen',
      means: 'Sieht jede Zeile dreimal, mit einem mittleren Adapter, und wertet alle 20 Schritte aus.',
    },
    thorough: {
      name: 'Gründlich',
      purpose: 'Wenn es auf das Ergebnis ankommt',
      means:
        'Sieht jede Zeile fünfmal, mit einem großen Adapter und kleineren Schritten, schreibt bei jeder Auswertung Antworten und behält den Adapter, der auf der ersten Validierungsdatei am besten war.',
    },
    best: {
      name: 'Beste Qualität',
      purpose: 'Wenn die Zeit keine Rolle spielt',
      means:
        'Rang 64 auf jeder linearen Schicht, skaliert mit alpha/√r (rsLoRA): im Vergleich von PEFT selbst das Beste (51,3 % gegen 47,8 % bei Rang 32). Sieht jede Zeile fünfmal in kleineren Schritten und behält den Adapter, der auf der ersten Validierungsdatei am besten war.',
    },
  },
  custom: 'Eigenes Rezept',
  groups: {
    run: 'Modell und Zeilen',
    lora: 'Adapter (LoraConfig)',
    training: 'Training (TrainingArguments)',
    evaluation: 'Auswertung',
  },
  keepLast: 'Den letzten Adapter behalten',
  keepBestBy: (metric, file) => `Den besten nach ${metric} von ${isolated(file)} behalten`,
  dropToChoose: 'Lege eine Validierungsdatei ab, um danach zu wählen.',
  anyFileDecides: 'Jede Validierungsdatei kann entscheiden, welcher Adapter bleibt.',
  patienceHelp: 'Auswertungen ohne besseren Wert, nach denen der Lauf endet; 0: Er endet nie vorzeitig.',
  copied: 'Kopiert.',
  copyThisLink: 'Kopiere diesen Link.',
  linkHolds:
    'Er enthält das Rezept mit seinem System-Prompt, weder Daten noch Namen deiner Dateien, und wer ihn öffnet, schickt nichts an einen Server.',
  notJson: (reason) => `Das ist kein JSON: ${reason}`,
  scoringHelp:
    'Eine Liste: ein Typ (exact_match, number_equals, regex, json_schema, length, contains) oder eigenes JavaScript als `code`: (answer, reference, row) => eine Zahl. Es läuft ohne Seite, Netz und Uhr.',
  linkTooLong: (size, most) =>
    `Dieses Rezept ist zu lang für einen Link (${integer(size)} Byte, höchstens ${integer(most)}). Kürze den System-Prompt oder verschicke recipe.json.`,
  linkUnreadable:
    'Das Rezept in diesem Link ist nicht zu lesen: Der Link wurde abgeschnitten oder verändert. Lass ihn dir noch einmal schicken.',
  foreignNotes: 'Dieses Rezept stammt aus einem anderen Programm. Was du darüber wissen solltest:',
  notes: 'Anmerkungen zum Rezept',
  startFrom: 'Beginne mit',
  noPreset: 'Dieses Rezept ist keines davon.',
  noSystemMessage: 'Keine Systemnachricht',
  advanced: 'Erweitert: alle übrigen Schlüssel, wie sie bei PEFT und transformers heißen',
  loadRecipe: 'Rezept laden',
  saveRecipe: 'Rezept speichern',
  shareAsLink: 'Als Link teilen',
  linkToRecipe: 'Link zu diesem Rezept',
};

const recipeHelp: Messages['recipeHelp'] = {
  num_train_epochs: 'Wie oft jede Zeile gesehen wird.',
  learning_rate: 'Lernrate: Größe eines Schritts; meist passt 1e-4 bis 5e-4.',
  per_device_train_batch_size: 'Zeilen je Schritt, mal gradient_accumulation_steps.',
  r: 'Rang des Adapters: wie viel er lernen kann.',
  lora_alpha: 'Der Adapter wird mit diesem Wert durch r skaliert; oft das Doppelte von r.',
  max_length: 'Längste Zeile in Tokens; was darüber ist, fällt weg.',
  method:
    'sft ahmt Antworten nach; dpo, ipo, simpo und orpo lernen aus vorgezogenen und verworfenen, kto aus Bewertungen, grpo aus Belohnungen für selbst erzeugte Antworten.',
  quantization:
    'Wie die Gewichte des Basismodells abgelegt werden; entschieden, wenn du ein Modell ablegst. gguf: die Blöcke einer .gguf, wie sie sind.',
  system_prompt: 'Was vor jeder Zeile steht, die keine eigene Systemnachricht hat.',
  date_string: 'Das heutige Datum, für Templates, die eines ausgeben.',
  mask_history: 'In Gesprächen nur aus der letzten Antwort lernen.',
  lora_dropout: 'Anteil der Eingabe des Adapters, der beim Training wegfällt.',
  use_dora: 'DoRA: lernt die Länge jeder Ausgabe getrennt; langsamer, oft besser.',
  use_rslora: 'Mit alpha/√r statt alpha/r skalieren.',
  eval_strategy: 'Wann Validierungsdateien ausgewertet werden: alle eval_steps, nach jeder Epoche oder nie.',
  eval_steps: 'Schritte zwischen zwei Auswertungen.',
  predict_with_generate: 'Bei jeder Auswertung auch Antworten schreiben.',
  eval_max_samples: 'Zeilen je Datei, zu denen Antworten geschrieben werden.',
  max_new_tokens: 'Längste geschriebene Antwort.',
  do_sample: 'Das nächste Token auslosen; aus: immer das wahrscheinlichste.',
  temperature: 'Niedriger ist berechenbarer.',
  top_p: 'Unter den wahrscheinlichsten Tokens auslosen, die zusammen diesen Anteil haben.',
  early_stopping_threshold: 'Um wie viel besser als besser gilt, für das vorzeitige Ende.',
  load_best_model_at_end: 'Den besten Adapter ausgeben, nicht den letzten.',
  eval_on_start: 'Vor dem ersten Schritt auswerten.',
  forgetting_threshold:
    'Eine Validierungsdatei melden, deren Verlust so weit über den Anfang steigt (0.1 sind etwa 10 % mehr Perplexität); leer: nie.',
  beta: 'Präferenzmethoden: wie nah am Basismodell geblieben wird.',
  label_smoothing: 'dpo und simpo: Anteil der Paare, deren Reihenfolge falsch sein darf.',
  simpo_gamma: 'simpo: der Abstand, der erreicht werden soll.',
  desirable_weight: 'kto: Gewicht erwünschter Antworten.',
  undesirable_weight: 'kto: Gewicht unerwünschter Antworten.',
  num_generations: 'grpo: Antworten, die zu jedem Prompt erzeugt werden.',
  max_completion_length: 'grpo: längste erzeugte Antwort in Tokens.',
  num_iterations: 'grpo: Schritte, die mit denselben Antworten gemacht werden.',
  epsilon: 'grpo: wie weit sich ein Verhältnis von 1 entfernen darf.',
  scale_rewards: 'grpo: durch wessen Streuung Belohnungen geteilt werden.',
  mask_truncated_completions: 'grpo: aus abgeschnittenen Antworten nichts lernen.',
  use_bias_correction_kl:
    'grpo mit beta: den Abstand mit dem Verhältnis multiplizieren, wie TRL es von sich aus tut.',
  packing: 'Behälter von max_length Tokens als Zeilen zählen, wie TRL mit bfd.',
  max_steps: 'Nach so vielen Schritten aufhören; -1: nach Epochen.',
  gradient_accumulation_steps: 'Vervielfacht die Zeilen je Schritt.',
  lr_scheduler_type: 'Wie die Lernrate fällt.',
  warmup_ratio: 'Anteil der Schritte, in denen sie zuerst steigt.',
  warmup_steps: 'Schritte zum Aufwärmen; 0: nach dem Anteil.',
  weight_decay: 'Zieht den Adapter zur Null hin.',
  max_grad_norm: 'Längere Gradienten werden darauf gekürzt; 0: nie.',
  loraplus_lr_ratio: 'LoRA+: Lernrate von B durch die von A.',
  adam_beta1: 'AdamW: wie lange der Mittelwert der Gradienten nachwirkt.',
  adam_beta2: 'AdamW: dasselbe für ihre Quadrate.',
  adam_epsilon: 'AdamW: hält den Nenner von 0 fern.',
  label_smoothing_factor: 'sft: Anteil jedes Labels, der über das Vokabular verteilt wird.',
  neftune_noise_alpha: 'NEFTune: Rauschen auf den Embeddings, 5 bis 15; leer: keines.',
  group_by_length: 'Schritte aus Zeilen ähnlicher Länge.',
  seed: 'Derselbe Seed ergibt denselben Adapter.',
  gradient_checkpointing: 'Schichten neu berechnen, um Speicher zu sparen: so wenige wie nötig.',
  activation_dtype:
    'Wie Werte auf den Rückwärtslauf warten. e6m9: in 16 Bit; auto: so, wenn der Speicher knapp ist und die Stufe f16 oder matrix.',
  head_dtype:
    'Wie ein eigener Ausgabekopf auf der GPU liegt. q8_0: in 8 Bit, was Logits rundet; auto: nur, wenn gpu_memory_limit_gib sonst nicht einzuhalten ist.',
  gpu_memory_limit_gib: 'GPU-Speicher, in den es passen soll, in GiB; leer: 2. Mehr ist schneller.',
};

const store: Messages['store'] = {
  verifying: (name) => `${isolated(name)} wird geprüft`,
  whole: (name) => `${isolated(name)}: Alles ist so, wie es gespeichert wurde.`,
  damaged: (name, [first, ...others]) => {
    const more = plural(others.length, { one: '# weiteren Tensor', other: '# weiteren Tensoren' });
    const where = others.length === 0 ? first : `${first} und ${more}`;
    return `${isolated(name)} ist beschädigt in ${where}. Lege die Dateien noch einmal ab oder lade sie noch einmal herunter: Beschädigtes wird dann ersetzt.`;
  },
  writing: (name) => `${isolated(name)} wird geschrieben`,
  holdsModel: (file) =>
    `${isolated(file)} enthält das Modell. Lege die Datei unter „Modell“ ab, hier oder anderswo, um es zurückzuholen.`,
  asking: 'Der Browser wird gefragt',
  keeps: 'Der Browser behält es, bis du es löschst.',
  noPromise:
    'Der Browser hat es nicht zugesagt. Chrome und Edge tun es bei Seiten, die installiert, gemerkt oder oft benutzt sind; Firefox fragt. Speichere bis dahin als Datei, was wichtig ist.',
  used: (used, quota) => `${bytes(used)} von ${bytes(quota)}, die dieser Browser der Seite bietet.`,
  persisted: 'Der Browser behält es, bis du es oder die Daten dieser Website löschst.',
  mayBeCleared:
    'Der Browser kann alles löschen, wenn der Datenträger fast voll ist; Safari tut es nach sieben Tagen ohne Besuch.',
  model: 'Modell',
  unfinished: 'Modell, Import unvollendet',
  verifyNamed: (name) => `${isolated(name)} prüfen`,
  saveNamed: (name) => `${isolated(name)} als Datei speichern`,
  runOn: (file, model) => `${isolated(file)} auf ${isolated(model)}`,
  run: (step, of, checkpoint) =>
    `Lauf, Schritt ${step} von ${of}${checkpoint === null ? '' : `, Checkpoint von Schritt ${checkpoint}`}`,
  heading: 'In diesem Browser gespeichert',
  askToKeep: 'Den Browser bitten, es zu behalten',
  name: 'Name',
  size: 'Größe',
  actions: 'Aktionen',
  verify: 'Prüfen',
  saveAsFile: 'Als Datei speichern',
  whereDeleted:
    'Modelle löschst du unter „Modell“; Läufe löschst, exportierst und bewegst du unter „Verlauf“ auf einen anderen Rechner.',
  nothingYet:
    'Noch nichts: Modelle, die du ablegst oder herunterlädst, und jeder Lauf werden hier aufbewahrt.',
};

const gpu: Messages['gpu'] = {
  correct: 'rechnet richtig',
  wrong: 'rechnet falsch',
  cases: (done, total) => `${done} von ${total} Fällen`,
  agreesOn: (device) =>
    `Auf **${device}** stimmt jeder Kernel in float32-Genauigkeit mit TensorFlow.js überein. Was hier trainiert wird, ist das, was im Rezept steht.`,
  differsOn: (device) =>
    `Auf **${device}** stimmen manche Kernels nicht mit TensorFlow.js überein. Trau keinem Lauf auf diesem Gerät: Aktualisiere Grafiktreiber und Browser und prüfe dann noch einmal.`,
  agrees: 'stimmt',
  differs: 'weicht ab',
  failed: 'gescheitert',
  measuredIn: (adapter, seconds) => `${adapter}, gemessen in ${fixed(seconds, 0)} s.`,
  tableCopied: 'Tabelle kopiert',
  copyMarkdown: 'Als Markdown kopieren',
  noDriver: 'Dieser Browser bietet kein WebGPU: Es gibt keinen Treiber, den man fragen könnte.',
  verdicts: { fits: 'Passt', tight: 'Knapp', no: 'Passt nicht', unknown: 'Nicht bekannt' },
  memoryParts: {
    weights: 'Gewichte des Basismodells',
    adapter: 'Adapter',
    optimizer: 'Gradienten und Optimierer',
    activations: 'Aktivierungen',
    kvCache: 'KV-Cache der geschriebenen Antworten',
    batch: 'Batch und Tabellen',
  },
  plannedMemory: (total, isEstimate) =>
    `${bytes(total)} GPU-Speicher, aufs Byte geplant${isEstimate ? ' (hier eine Schätzung)' : ''}.`,
  thisGpuHas: 'Diese GPU hat',
  askingDriver: 'Der Treiber wird gefragt',
  askDriver: 'Den Treiber danach fragen',
  remedyCosts: (total, verdict, cost) =>
    `${bytes(total)}: ${{ fits: 'passt', tight: 'knapp', no: 'passt nicht', unknown: 'nicht bekannt' }[verdict]}; ${cost}`,
  grantedLess: (granted, asked) =>
    `Der Treiber gewährte ${bytes(granted)} und nicht mehr, als er um ${bytes(asked)} gebeten wurde.`,
  shareOfNamed: (part, known) =>
    `${Math.round(100 * part)} % der ${bytes(known)}, die du genannt hast; den Rest brauchen Fenster, andere Tabs und Programme.`,
  granted: (granted) =>
    `Der Treiber gewährte ${bytes(granted)}, als er gefragt wurde. Manche Treiber leihen dabei stillschweigend langsameren Arbeitsspeicher: Nenne den Speicher der GPU, um sicher zu sein.`,
  nearlyEvery: 'So viel hat fast jede GPU. Wie viel diese hat, verraten Browser nicht.',
  unknownMemory:
    'Browser verraten nicht, wie viel Speicher eine GPU hat. Nenne ihn oder lass den Treiber fragen.',
  costs: {
    checkpointing: 'etwa ein Drittel langsamer, dieselben Zahlen',
    smallerPieces: 'dieselben Schritte in kleineren Stücken, langsamer',
    cuts: (cut, of) =>
      cut === 0 ? 'kürzt keine Trainingszeile' : `kürzt ${integer(cut)} von ${integer(of)} Zeilen`,
    fewerAnswers: 'weniger Antworten auf einmal',
    smallerAdapter: 'ein kleinerer Adapter',
    roundedHead: 'Logits gerundet durch einen Ausgabekopf in 8 Bit',
  },
  heading: 'Diese GPU',
  checkIntro:
    'Ein Grafiktreiber kann ohne jede Fehlermeldung falsch rechnen. Hier läuft jeder Kernel des Trainings, vorwärts und für die Gradienten, auf dieser GPU mit kleinen Eingaben, und jede Zahl wird mit TensorFlow.js verglichen, einer unabhängigen Umsetzung, auf demselben Gerät. Das dauert etwa eine Minute und trainiert nichts.',
  checkGpu: 'Diese GPU prüfen',
  check: 'Prüfung',
  differenceHelp:
    'Die Abweichung ist die größte, geteilt durch den größten Wert des Tensors. Summen in anderer Reihenfolge weichen um etwa 1e-7 bis 1e-5 ab, ein falscher Kernel um 1e-2 oder mehr.',
  kernel: 'Kernel',
  tensorsCompared: 'verglichene Tensoren',
  largestDifference: 'größte Abweichung',
  allowed: 'erlaubt',
  verdict: 'Urteil',
  speedIntro:
    'Wie schnell diese GPU trainiert: ein Dokument von 512 Tokens je Schritt, LoRA mit r 16 auf einem 4-Bit-Basismodell mit zufälligen Gewichten, in den Formen von drei Modellen. Das dauert etwa eine halbe Minute, lädt nichts herunter und schickt nichts. Wofür beim ersten Mal keine Zeit war, wird gemessen, wenn du noch einmal drückst: Dann sind die Kernels übersetzt.',
  measureGpu: 'Diese GPU messen',
  measurement: 'Messung',
  speedGpu: 'Tempo dieser GPU',
  model: 'Modell',
  arithmetic: 'Rechenart',
  tokensSecond: 'Tokens je Sekunde',
  gpuMemory: 'GPU-Speicher',
  tableAsMarkdown: 'Die Tabelle als Markdown',
  memoryByPart: 'GPU-Speicher dieses Laufs nach Teilen',
  together: 'zusammen',
  memoryInGib: 'Speicher dieser GPU in GiB',
  whatNeedsLess: 'Was weniger Speicher braucht',
  planningOtherRecipes: 'Andere Rezepte werden geplant',
  nothingSmaller: 'Nichts im Rezept macht diesen Lauf kleiner: Nimm ein kleineres Modell.',
};

const errors: Messages['errors'] = {
  detailsCopied: 'Einzelheiten kopiert',
  copyDetails: 'Einzelheiten kopieren',
  detailsOfError: 'Einzelheiten des Fehlers',
  ofRow: (message) => translateRowMessage(message),
  shown: (message) => translateMessage(message),
};

const classroom: Messages['classroom'] = {
  withAClass:
    'Mit einer Klasse: `npm run classroom -- class.finetab` auf deinem Computer verteilt diese Seite und ein Bündel im lokalen Netz, ohne Internet, und zeigt eine Tafel mit allen Schülern. `docs/classroom.md` hat eine Stunde von 45 Minuten, eine von 90 und ein Arbeitsblatt.',
  choices: { a: 'A ist besser', tie: 'Kein Unterschied', b: 'B ist besser' },
  emptyAnswer: '(eine leere Antwort)',
  yourVote: (choice) => `Deine Stimme: ${choice}. Das Ergebnis steht an der Tafel.`,
  aModel: 'ein Modell',
  aTrainingFile: 'Trainingsdaten',
  aRecipe: 'ein Rezept ohne Fehler',
  bundleNeeds: (missing) => `Für ein Bündel fehlt noch: ${missing}.`,
  bundleHolds: (model, modelBytes, dataBytes) =>
    `${isolated(model)}, wie es hier gespeichert ist (${bytes(modelBytes)}), das Rezept, die Datendateien (${bytes(dataBytes)}) und eine Unterrichtsstunde. Wer die Datei bekommt, hat deine Zeilen.`,
  writing: 'Wird geschrieben …',
  saveBundle: 'Als Bündel speichern',
  classBundle: 'das Bündel der Klasse',
  joining: 'Du trittst bei',
  leaving: 'Du gehst hinaus',
  sendingAdapter: 'Der Adapter wird geschickt',
  adapterSent: (size) => `Der Adapter wurde geschickt (${bytes(size)}).`,
  voting: 'Du stimmst ab',
  fetchingBlend: 'Die Mischung wird geholt',
  answering: 'Die Fragen der Lehrkraft werden beantwortet',
  opening: (name) => `${isolated(name)} wird geöffnet`,
  sends: ({ loss, answers }) =>
    [
      'Name',
      ...(loss ? ['Verluste'] : []),
      ...(answers ? ['Antworten auf die Fragen der Lehrkraft'] : []),
    ].join(', '),
  sentWhenPressed: (host, what) =>
    `An ${host} geht, wenn du drückst: ${what}. Ein Adapter wird nur mit einem eigenen Knopf geschickt, später.`,
  inClassAs: (name) => `In der Klasse als ${isolated(name)}`,
  boardSees: (what) => `Die Tafel sieht von dir: ${what}.`,
  foreignBundle: (host) =>
    `Diese Seite öffnet Bündel nur von ihrem eigenen Host oder von diesem Rechner, nicht von ${host}. Lade die Datei dort herunter und lege sie hier ab.`,
  teacherSilent:
    'Der Rechner der Lehrkraft antwortet nicht. Ist er noch im selben Netz? Diese Seite versucht es von selbst wieder.',
  noClassHere: (status) =>
    `Unter dieser Adresse gibt es keine Klasse (der Server antwortete mit ${status}). Prüfe die Adresse an der Tafel.`,
  headToHead: 'Direkter Vergleich',
  whichAnswerBetter: 'Welche Antwort ist besser?',
  chooseBundle: 'Bündel wählen',
  dropHint:
    'Lege eine .finetab-Datei ab: Modell, Tokenizer, Rezept, Daten und Unterrichtsstunde in einem. Sie öffnet sich ohne Netz, und jeder Teil wird geprüft.',
  makeOne: 'Eines aus dem machen, was auf dieser Seite ist',
  title: 'Titel',
  titleExample: 'Klasse 9b, Piraten',
  lessonField: 'Unterrichtsstunde, in Markdown; sie darf leer bleiben',
  classroom: 'Klassenzimmer',
  class: 'Klasse',
  youAreInClass: 'Du bist in einer Klasse',
  joinIntro:
    'Modell und Daten kommen vom Rechner deiner Lehrkraft, trainiert wird auf deinem. Nichts von dem, was du tust, wird geschickt, außer du trittst bei und kreuzt es hier an.',
  codeField: 'Code, wie er an der Tafel steht',
  nameField: 'Dein Name, wie ihn die Tafel zeigen soll',
  mayBoardSee: 'Darf die Tafel auch sehen:',
  myLossesWhileTrains: 'meine Verluste beim Training',
  myAnswersToPrompts: 'die Antworten meines Modells auf die Fragen der Lehrkraft',
  join: 'Beitreten',
  onlyOpenBundle: 'Nur das Bündel öffnen',
  leave: 'Hinausgehen',
  whatBoardSees: 'Was die Tafel sieht',
  myLosses: 'meine Verluste',
  myModelsAnswers: 'die Antworten meines Modells',
  teachersPrompts: 'Die Fragen der Lehrkraft',
  sendMyAdapter: 'Meinen Adapter schicken',
  tryBlend: 'Die Mischung der Klasse ausprobieren',
};

const board: Messages['board'] = {
  title: 'Tafel',
  mostPrompts: (most) => `Mehr als ${most} Fragen gehen nicht: Nimm erst eine weg.`,
  answered: (answers, students) => `${answers} von ${students} haben geantwortet`,
  takeAwayNamed: (prompt) => `Wegnehmen: ${isolated(prompt)}`,
  adapters: (count) => plural(count, { one: '# Adapter', other: '# Adapter' }),
  sum: (sum, handedOut) => `Summe ${fixed(sum, 2)}${handedOut > 0 ? `; ausgeteilt: ${handedOut}` : ''}`,
  classHasBlend: (shares) => `Die Klasse hat die Mischung: ${shares}.`,
  voted: (votes) => plural(votes, { one: '# Stimme', other: '# Stimmen' }),
  ties: (ties) => `Kein Unterschied: ${ties}`,
  nextMatch: 'Nächster Vergleich',
  beginMatch: 'Vergleich beginnen',
  joined: (count) => `${count} dabei`,
  states: {
    ready: 'bereit',
    training: 'trainiert',
    done: 'fertig',
    away: 'seit 20 s kein Zeichen',
    left: 'gegangen',
  },
  saveAdapterOf: (name) => `Adapter von ${isolated(name)} speichern`,
  promptsAnswers: 'Fragen und Antworten',
  askEvery: 'Alle Modelle der Klasse fragen',
  promptExample: 'Wer bist du?',
  ask: 'Fragen',
  takeAway: 'Wegnehmen',
  blend: 'Mischung',
  noAdapters: 'Adapter, die geschickt werden, erscheinen hier und lassen sich zu einem mischen.',
  blendIntro:
    'Wie add_weighted_adapter von PEFT, linear: eine grobe Mischung der Matrizen. Alle müssen denselben Rang und dieselben Module haben; DoRA und rangstabilisierte Adapter werden abgelehnt.',
  evenWeights: 'Gleiche Gewichte',
  saveBlend: 'Mischung speichern',
  giveToClass: 'An die Klasse austeilen',
  code: 'Code',
  qrCode: 'QR-Code mit der Adresse der Klasse',
  headToHead: 'Direkter Vergleich',
  countVotes: 'Auszählen und Namen zeigen',
  noMatchYet:
    'Über eine Frage, die zwei Modelle beantwortet haben, lässt sich abstimmen: Die Klasse sieht beide Antworten ohne Namen.',
  matchPrompt: 'Frage des Vergleichs',
  tally: 'Stand',
  name: 'Name',
  won: 'Gewonnen',
  lost: 'Verloren',
  drawn: 'Unentschieden',
  students: 'Schülerinnen und Schüler',
  nobodyYet: 'Noch niemand. Ruft die Adresse oben auf oder richtet eine Kamera auf den Code.',
  state: 'Zustand',
  step: 'Schritt',
  loss: 'Verlust',
  adapter: 'Adapter',
};

const model: Messages['model'] = {
  goodAt: {
    'Qwen/Qwen3-8B': 'schwieriges Schließen, Code, Werkzeuge, etwa hundert Sprachen',
    'meta-llama/Llama-3.1-8B-Instruct': 'allgemeiner Assistent, lange Antworten, acht Sprachen',
    'Qwen/Qwen2.5-7B-Instruct':
      'allgemeiner Assistent, strukturierte Antworten (JSON, Tabellen), 29 Sprachen',
    'Qwen/Qwen3-4B': 'Schließen und Code bei halber Größe von 8B; Werkzeuge; etwa hundert Sprachen',
    'microsoft/Phi-4-mini-instruct': 'Mathematik und Logik auf Englisch; kurze Sachantworten',
    'meta-llama/Llama-3.2-3B-Instruct': 'allgemeiner Assistent, Zusammenfassen, Umformulieren',
    'HuggingFaceTB/SmolLM3-3B':
      'allgemeiner Assistent mit oder ohne Gedankengang, sechs europäische Sprachen; sein Training liegt ganz offen',
    'ibm-granite/granite-3.3-2b-instruct': 'Geschäftstexte: Zusammenfassen, Auslesen, Fragen zu Dokumenten',
    'Qwen/Qwen3-1.7B': 'das Beste seiner Größe für Schließen und Code; viele Sprachen',
    'HuggingFaceTB/SmolLM2-1.7B-Instruct': 'Englisch: Umformulieren, Zusammenfassen, Anweisungen',
    'Qwen/Qwen2.5-1.5B-Instruct': 'strukturierte Antworten und viele Sprachen bei geringer Größe',
    'allenai/OLMo-2-0425-1B-Instruct':
      'Englisch; Daten, Code und alle Checkpoints liegen offen: für Lehre und Forschung',
    'meta-llama/Llama-3.2-1B-Instruct': 'kurze Zusammenfassungen, Umformulieren, Einordnen',
    'LiquidAI/LFM2-1.2B': 'schnelle Antworten auf schwachen Geräten: Auslesen, Einordnen, acht Sprachen',
    'google/gemma-3-1b-it': 'kurze Antworten in vielen Sprachen; ein großes Vokabular',
    'Qwen/Qwen3-0.6B': 'eine enge Aufgabe, gut gelernt: Auslesen, Einordnen, Formatieren; viele Sprachen',
    'Qwen/Qwen2.5-0.5B-Instruct': 'eine enge Aufgabe, gut gelernt; JSON-Antworten',
    'HuggingFaceTB/SmolLM2-360M-Instruct': 'Englisch; eine enge Aufgabe, für schwache GPUs',
    'LiquidAI/LFM2-350M': 'Auslesen und kurze Antworten auf den schwächsten GPUs',
    'google/gemma-3-270m-it': 'eine feste Form einhalten: Schlagwörter, Weiterleiten, Auslesen',
    'HuggingFaceTB/SmolLM2-135M-Instruct':
      'zum Ausprobieren: trainiert in Minuten auf fast jeder GPU, und im Unterricht auf dreißig Laptops',
  },
  weights: { nf4: '4-Bit (NF4)', none: 'nicht quantisiert', gguf: 'die Blöcke der GGUF' },
  fetchingDemo: 'Die Demo wird geholt',
  storingDemo: 'Das Modell wird gespeichert, die Daten werden gelesen',
  hubFacts: (id, size, host, licence) =>
    `${id}: ${bytes(size)} werden von ${host} heruntergeladen; Lizenz: ${licence ?? 'keine genannt'}.`,
  tokenField: (host) => `Zugriffstoken; es geht mit diesem Download an ${host} und wird nirgends aufbewahrt`,
  figures: {
    parameters: 'Parameter',
    kind: 'Architektur',
    weights: 'Gewichte',
    stored: 'Gespeichert',
    gpuMemory: 'GPU-Speicher, mindestens',
    licence: 'Lizenz',
  },
  licenceNotKnown: 'nicht bekannt',
  gatedLicence: (licence) => `${licence} (geschützt)`,
  getNamed: ({ id, gated, downloadBytes }) =>
    gated ? `${id} wählen` : `${id} herunterladen, ${bytes(downloadBytes)}`,
  downloadSize: (size) => `${size} herunterladen`,
  importedPercent: (percent) => `Import, ${percent} %`,
  isStored: 'In diesem Browser gespeichert',
  isChosen: 'Gewählt',
  useShort: 'Verwenden',
  filter: 'Modelle filtern',
  filterHint: 'Filter: Name, Lizenz, Aufgabe',
  found: (count, of) => `${integer(count)} von ${integer(of)} Modellen`,
  noneFound:
    'Kein Modell dieser Liste hat alle diese Wörter. Jedes andere vom Hub lässt sich oben nach seinem Namen herunterladen.',
  showAll: (count) => `Alle ${integer(count)} Modelle zeigen`,
  yourOwn: 'Ein Modell mitbringen',
  choose: 'Wählen',
  facts: ({ modelType, parameters, layers, vocabularySize, quantization, storedBytes }) =>
    `${modelType}, ${compact(parameters)} Parameter, ${layers} Schichten, ${integer(vocabularySize)} Tokens im Vokabular. Gespeichert als ${model.weights[quantization]}, ${bytes(storedBytes)}.`,
  unusedTensors: (names) =>
    `Von dieser Architektur nicht verwendet: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` und ${names.length - 5} weitere` : ''}.`,
  unusedDropout: (keys) =>
    `Trainiert wird ohne das Dropout, das config.json von transformers verlangt: ${keys.join(', ')}. lora_dropout ist das des Adapters.`,
  unverified: (files) =>
    `Nicht geprüft, weil der Hub, von dem sie kamen, keinen Hash nennt: ${files.join(', ')}.`,
  importing: ({ name, done, total }) =>
    `${isolated(name)} wird importiert: ${total === 0 ? 'Inhalt der Dateien wird gelesen' : `${bytes(done)} von ${bytes(total)}`}`,
  unfinished: 'Import unvollendet: Lege die Dateien noch einmal ab oder lade sie noch einmal herunter',
  use: (name) => `${isolated(name)} verwenden`,
  storageUsed: ({ usedBytes, quotaBytes, persisted }) =>
    `${bytes(usedBytes)} von ${bytes(quotaBytes)} Browserspeicher belegt${persisted ? ', aufbewahrt, bis du es löschst' : '; der Browser kann ihn leeren, wenn der Platz ausgeht'}.`,
  reasons: {
    storage: 'mehr, als der Browser noch speichern darf',
    recipe: 'mehr GPU-Speicher, als das Rezept erlaubt',
    gpu: 'mehr GPU-Speicher, als da ist',
    tight: 'knapp',
    unknown: 'wie viel Speicher diese GPU hat, ist nicht bekannt',
    notPlanned: 'bekannt, sobald es gewählt ist und Daten zum Planen da sind',
  },
  demoOffline: (file) =>
    `${file} der Demo war nicht zu holen: Es gibt keine Verbindung, und dieser Browser hat die Demo von keinem früheren Besuch. Stelle eine Verbindung her und drücke noch einmal.`,
  demoMissing: (file, status) =>
    `${file} der Demo war nicht zu holen: Der Server antwortete mit ${status}. Der Ordner demo/ muss neben der Seite liegen.`,
  hubField: 'Oder lade eines vom Hugging Face Hub herunter',
  hubExample: 'owner/name oder die Adresse seiner Seite',
  download: 'Herunterladen',
  showFacts: 'Größe und Lizenz zeigen',
  gated: 'Geschütztes Modell? Nimm ein Zugriffstoken',
  catalogue: 'Modelle für den Anfang',
  catalogueHelp:
    'Was passt, steht vorn, und davon das Beste zuerst. Beim GPU-Speicher steht das Mindeste für einen Lauf: 4-Bit-Gewichte, r 16 auf allen linearen Schichten, Zeilen bis max_length, Schichten neu berechnet.',
  import: 'Import',
  cancelImport: 'Import abbrechen',
  chooseModelFiles: 'Modelldateien wählen',
  chooseModelFolder: 'Modellordner wählen',
  dropHint:
    'Lege den Ordner eines Modells vom Hugging Face Hub ab: config.json, die Dateien des Tokenizers und die safetensors. Oder eine GGUF-Datei oder ein .finetab-Bündel.',
  inThisBrowser: 'In diesem Browser',
  demo: 'Demo',
  newHere: 'Neu hier?',
  demoIntro: 'Ein kleines Modell ist dabei und lernt in ein, zwei Minuten, auch ohne Grafikkarte.',
  demoRows:
    'Bring ihm bei, wie ein Pirat zu reden: Sieh, woraus es lernt, wie der Verlust jeder Datei fällt und was es vorher und nachher antwortet.',
  demoRewards:
    'Oder zeig ihm gar keine Antworten: Es versucht sich an Rechenaufgaben in Worten, die es nicht kennt, erfährt, welche Antworten richtig waren, und kommt selbst darauf.',
  tryDemo: 'Mit der Demo ausprobieren',
  watchRewards: 'Beim Lernen durch Belohnungen zusehen',
};

const metrics: Messages['metrics'] = {
  loss: 'Verlust',
  perplexity: 'Perplexität',
  token_accuracy: 'Token-Genauigkeit',
  rouge1: 'ROUGE-1',
  rouge2: 'ROUGE-2',
  rougeL: 'ROUGE-L',
  rougeLsum: 'ROUGE-Lsum',
  bleu: 'BLEU',
  chrf: 'chrF',
  exact_match: 'genaue Treffer',
  mean_generated_length: 'mittlere Länge der Antworten in Tokens',
  gen_len: 'mittlere Länge der Antworten in Zeichen',
  stopped_share: 'Anteil, der von selbst endete',
  'rewards/accuracies': 'Anteil der Paare in richtiger Reihenfolge',
  'rewards/margins': 'Abstand der Belohnungen',
  'rewards/chosen': 'Belohnung erwünschter Antworten',
  'rewards/rejected': 'Belohnung unerwünschter Antworten',
  'logps/chosen': 'Log-Wahrscheinlichkeit erwünschter Antworten',
  'logps/rejected': 'Log-Wahrscheinlichkeit unerwünschter Antworten',
  kl: 'Abweichung vom Basismodell',
  nll_loss: 'negative Log-Likelihood erwünschter Antworten',
};

const arithmetic = {
  plain: 'float32 (Stufe plain)',
  f16: 'Produkte aus Operanden in float16, Summen in float32 (Stufe f16)',
  matrix:
    'Produkte und Attention auf Matrixeinheiten, Operanden in float16, Summen in float32 (Stufe matrix)',
} as const;
const kernelReasons = {
  requested: 'so verlangt es die Adresse der Seite',
  only: 'andere bietet diese GPU in diesem Browser nicht',
  measured: 'die schnellsten auf dieser GPU, gemessen',
  off: 'gemessen wurde nichts',
  pending: 'welche auf dieser GPU am schnellsten sind, ist noch nicht gemessen',
  unknown: 'welche auf dieser GPU am schnellsten sind, ließ sich nicht messen',
} as const;

const run: Messages['run'] = {
  planned: (device, steps, tokens) =>
    `Auf **${device}**: ${integer(steps)} Schritte, in Micro-Batches von ${integer(tokens)} Tokens.`,
  kernels: 'Kernels',
  kernelChoice: (choice) => {
    const { level, basis, ignoredChoices = 0 } = choice;
    const text = `${arithmetic[level]}: ${kernelReasons[basis]}.`;
    if (ignoredChoices === 0) return text;
    return `${text} Kernels, die eine frühere Version Form für Form gewählt hat (${ignoredChoices}), folgen jetzt der allgemeinen Regel: Summen entstehen in anderer Reihenfolge, die letzten Stellen können abweichen.`;
  },
  measuredNow: 'Es wird gerade gemessen.',
  measuredLater: 'Gemessen wird, wenn der Lauf beginnt; das dauert etwa eine Sekunde.',
  tuneOff: 'Mit `?tune=off` in der Adresse der Seite sind die Kernels in float32, und nichts wird gemessen.',
  goesOnFrom: (name) => `Der Lauf geht vom Adapter **${isolated(name)}** aus.`,
  unfinished: ({ modelName, trainFile, resumableStep, totalSteps, startedAt }) =>
    `Ein unvollendeter Lauf auf ${isolated(modelName)} mit ${isolated(trainFile)} wurde bei Schritt ${resumableStep} von ${totalSteps} gespeichert (${dateAndTime(startedAt)}).`,
  resumeFrom: (step) => `Ab Schritt ${step} fortsetzen`,
  recomputed: (choice) => {
    const { none, cheap, attention, full, packed, headInQ8_0, limitBytes } = choice;
    const parts = [
      [none, 'ganz behalten'],
      [cheap, 'mit neu berechneten Normen und Gate-Produkten'],
      [attention, 'mit neu berechneten Queries, Keys und Values'],
      [full, 'neu berechnet'],
    ] as const;
    const layers = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
    const storage = packed ? '; was auf den Rückwärtslauf wartet, hat 16 Bit' : '';
    const head = headInQ8_0
      ? '; der Ausgabekopf hat 8 Bit, jedes Gewicht bis auf 0,45 % des größten seiner 32'
      : '';
    return `Schichten: ${layers.join(', ')}${storage}${head} (angestrebt: höchstens ${bytes(limitBytes)}).`;
  },
  preparing: ({ phase, done, total }) => {
    switch (phase) {
      case 'measuring':
        return 'Es wird gemessen, welche Kernels auf dieser GPU am schnellsten sind';
      case 'weights':
        return `Gewichte werden geladen, ${Math.round((100 * done) / total)} %`;
      case 'pipelines':
        return `${done} von ${total} Shadern sind übersetzt`;
    }
  },
  tooLong: (longest, positions, isSampled) =>
    `Die längste Zeile hat ${integer(longest)} Tokens${isSampled ? ', darunter max_completion_length' : ''}, dieses Modell kennt aber nur ${integer(positions)} Positionen. Senke max_length auf ${positions}.`,
  modelNotStored: (name) =>
    `${isolated(name)} ist in diesem Browser nicht mehr gespeichert. Lege zuerst seine Dateien ab.`,
  chooseAdaptersModel: 'Wähle zuerst das Modell, zu dem der Adapter gehört: Er wird damit geprüft.',
  noRoom: (free, needed) =>
    `Der Browser hat noch ${bytes(free)} Speicher, und die Checkpoints dieses Laufs brauchen ${bytes(needed)}: Du kannst trainieren und herunterladen, aber den Lauf nicht aufbewahren oder nach einem Neuladen fortsetzen. Lösche zuerst ein gespeichertes Modell oder einen Lauf.`,
  noteAt: (step, text) => `Schritt ${step}: ${isolated(text)}`,
  notSaved: (reason) => `Der letzte Checkpoint konnte nicht gespeichert werden. ${translateMessage(reason)}`,
  evaluationFailed: (name, reason) =>
    `${isolated(name)} konnte nicht ausgewertet werden: ${clause(translateMessage(reason))}. Die anderen Dateien und das Training gehen weiter.`,
  starting: 'Es beginnt',
  forgetting: (trend) => {
    const { name, start, alarm, forgets, last, lastStep, bestStep } = trend;
    if (!alarm) return null;
    const more = Math.round(100 * Math.expm1(alarm.loss - start));
    const rise = `Bei Schritt ${alarm.step} war der Verlust von ${isolated(name)} ${fixed(alarm.loss, 3)}, über dem Anfang von ${fixed(start, 3)} (${more} % mehr Perplexität): Das Modell vergisst, was diese Datei fragt.`;
    return forgets
      ? `${rise} Am besten war Schritt ${bestStep}. Senke learning_rate, trainiere weniger Schritte oder mische solche Zeilen unter die Trainingsdaten.`
      : `${rise} Bei Schritt ${lastStep} ist er wieder bei ${fixed(last, 3)}.`;
  },
  stoppingAfter: (step) => `Hält nach Schritt ${step} an`,
  pausedAt: (step) => `Pause bei Schritt ${step}`,
  trainingStep: (step, of) => `Trainiert, Schritt ${step} von ${of}`,
  evaluatingAt: (step, names) =>
    `Auswertung bei Schritt ${step}${names.length > 0 ? `: ${names.map(isolated).join(', ')}` : ''}`,
  ends: {
    finished: 'Fertig',
    stopped: 'Angehalten; der Adapter bleibt, wie er bei diesem Schritt war',
    'early stopping': 'Vorzeitig beendet: Das gewählte Maß wurde nicht mehr besser',
    diverged: 'Angehalten, weil die Zahlen entgleisten; der Adapter ist der letzte gute',
  },
  failed: 'Gescheitert',
  scoringReference: (done, total) => `Das Basismodell bewertet die Antworten: ${done} von ${total} Batches`,
  openingGpu: 'Die GPU wird wieder geöffnet',
  deviceLost: (message, step) =>
    `${translateMessage(message)} Der Lauf geht von selbst ab Schritt ${step} weiter.`,
  workerRestarted: (name, step, message) =>
    `Der Worker von ${isolated(name)} ist bei Schritt ${step} ausgefallen: ${clause(translateMessage(message))}. Er wurde neu gestartet und liest seine Datei noch einmal; das Training und die anderen Dateien gehen weiter.`,
  promptOfLine: (line) => `Prompt (Zeile ${line})`,
  answersOfStep: (step) => `Antworten von Schritt ${step}`,
  cutOff: 'abgeschnitten',
  dropModel: 'Lege zuerst ein Modell ab.',
  otherQuantization: (wanted, stored) =>
    `Das Rezept verlangt quantization „${wanted}“, das gespeicherte Modell hat „${stored}“. Lege die Dateien des Modells noch einmal ab oder ändere das Rezept.`,
  chooseRunFile: (path) =>
    `Das Rezept setzt den Lauf aus der Datei ${isolated(path)} fort (resume_from_checkpoint), die eine Seite nicht über ihren Pfad öffnen kann. Wähle sie unter „Verlauf“ und drücke dort „Fortsetzen“, oder entferne den Schlüssel.`,
  chooseAdapter: (path) =>
    `Das Rezept geht vom Adapter ${isolated(path)} aus (adapter_name_or_path), den eine Seite nicht über seinen Pfad öffnen kann. Wähle seine Dateien unter „Verlauf“, oder entferne den Schlüssel.`,
  workerDiedAgain: (message) => `Der Worker ist wieder ausgefallen: ${translateMessage(message)}`,
  workerNotRestarted: (message, reason) =>
    `Der Worker ist ausgefallen (${translateMessage(message)}) und ließ sich nicht neu starten: ${reason}`,
  couldNotBeRead: (name) => `${isolated(name)} konnte nicht gelesen werden.`,
  trainerCrashed: (reason) =>
    `Der Trainer ist abgestürzt: ${clause(translateMessage(reason))}. Der Lauf ist aufbewahrt, wie er beim letzten Checkpoint war: Drücke „Fortsetzen“.`,
  rewardsCurve: 'Belohnungen',
  logProbabilitiesCurve: 'Log-Wahrscheinlichkeiten der Antworten',
  meanReward: 'mittlere Belohnung',
  answerLength: 'Länge der Antworten in Tokens',
  beforeStart: 'Vor dem Start',
  fallback:
    'Dieser Browser bietet kein WebGPU; darum rechnet ein langsamer Ersatz, und die Zahlen sind Schätzungen. Nimm ein aktuelles Chrome, Edge oder Safari mit eingeschalteter Hardwarebeschleunigung.',
  whatIsRecomputed: 'Was neu berechnet wird',
  whatIsMissing: 'Was fehlt',
  startFromScratch: 'Von vorn beginnen',
  train: 'Trainieren',
  chooseToResume: 'Wähle dieses Modell und lege seine Daten ab, um weiterzumachen.',
  discard: 'Verwerfen',
  forgettingHeading: 'Vergessen.',
  training: 'Training',
  step: 'Schritt',
  trainingLoss: 'Trainingsverlust',
  tokensPerSecond: 'Tokens/s',
  timeLeft: 'noch',
  savedAtStep: 'gespeichert bei Schritt',
  continue: 'Weiter',
  pause: 'Pause',
  stopAndKeep: 'Anhalten und den Adapter behalten',
  mayILeave: 'Darf ich diesen Tab verlassen?',
  mayILeaveHelp:
    'Ja: Ein anderer Tab oder ein Fenster darf darüberliegen. Das Training läuft in einem eigenen Worker, den Browser nicht bremsen, wie sie die Zeitgeber verborgener Seiten bremsen, und diese Seite hält eine Sperre, die das Einfrieren verhindert. Nur die Kurven werden erst wieder gezeichnet, wenn du zurückkommst. Solange der Tab zu sehen ist, bleibt der Bildschirm an, wenn der Browser es erlaubt; ist er verborgen, kann der Rechner nach seinen Einstellungen einschlafen. Ruhezustand, zugeklappter Deckel oder geschlossener Tab halten den Lauf an; er geht vom letzten gespeicherten Schritt weiter.',
  note: 'Notiz zu diesem Lauf',
  noteExample: 'Was du siehst und dir merken willst',
  add: 'Hinzufügen',
  trainAgain: 'Noch einmal trainieren',
  sampledAnswers: 'Erzeugte Antworten',
  stepField: 'Schritt',
  previousPrompt: 'Voriger Prompt',
  nextPrompt: 'Nächster Prompt',
  reference: 'Referenz',
  answer: 'Antwort',
  reward: 'Belohnung',
  advantage: 'Vorteil',
  tokens: 'Tokens',
  empty: '(leer)',
};

const result: Messages['result'] = {
  workerEnded: (name, message) =>
    `Der Worker von ${isolated(name)} ist ausgefallen: ${translateMessage(message)}`,
  step: (step) => `Schritt ${step}`,
  question: (line) => `Frage (Zeile ${line})`,
  answerAt: (step, { exactMatch, rougeL, tokens, stopped }) =>
    `Antwort bei Schritt ${step}: ${exactMatch ? 'genau die Referenz' : `ROUGE-L ${fixed(rougeL, 0)}`}, ${tokens} Tokens${stopped ? '' : ', abgeschnitten bei max_new_tokens'}`,
  emptyAnswer: '(eine leere Antwort)',
  answersOf: (name) => `Antworten von ${isolated(name)}`,
  beforeTraining: 'vor dem Training',
  atStep: (step) => `bei Schritt ${step}`,
  after: 'danach',
  samplingFault: 'max_new_tokens und temperature müssen positiv sein, top_p zwischen 0 und 1.',
  adapterScale: 'Stärke des Adapters',
  greedy: 'Greedy: immer das wahrscheinlichste Token',
  baseModel: 'Basismodell',
  tuned: (percent) => (percent === 100 ? 'Trainiert' : `Trainiert, ${percent} % des Adapters`),
  writing: (who) => `${who}, schreibt`,
  written: (who, tokens, ended) =>
    `${who} · ${tokens} Tokens${ended === 'length' ? ', abgeschnitten bei max_new_tokens' : ended === 'stopped' ? ', angehalten' : ''}`,
  you: 'Du',
  baseAnswer: (place) => `Antwort ${place} des Basismodells`,
  tunedAnswer: (place) => `Antwort ${place} des trainierten Modells`,
  baseNotAsked: 'Basismodell: nicht gefragt',
  otherAnswer: (place) => `Antwort ${place} des anderen Adapters`,
  otherNotAsked: 'Anderer Adapter: nicht gefragt',
  otherAdapter: 'Anderer Adapter',
  compareWith: 'Ein anderer Adapter daneben',
  noOther: 'keiner',
  earlierSteps: 'Frühere Schritte dieses Laufs',
  otherRuns: 'Andere Läufe mit diesem Modell',
  adapterOf: (name, step, startedAt) => `${isolated(name)}, Schritt ${step} (${dateAndTime(startedAt)})`,
  keptPrompts: 'Früher gestellte Fragen',
  forgetPrompt: (question) => `Diese Frage vergessen: ${isolated(question)}`,
  tunedNoAnswer: 'Trainiert: keine Antwort',
  evaluateOn: (names) => `Auf ${names.map(isolated).join(', ')} auswerten`,
  verdict: ({ tuned, base, tie, chance }, opponent) => {
    const other = opponent === null ? 'Basis' : 'anderer Adapter';
    if (tuned + base === 0) return `Alle ${tie} sind unentschieden.`;
    const ties = tie === 0 ? '' : `, ${tie} unentschieden`;
    const winner =
      tuned === base
        ? 'Keines liegt vorn'
        : tuned > base
          ? 'Das trainierte Modell liegt vorn'
          : opponent === null
            ? 'Das Basismodell liegt vorn'
            : `Der andere Adapter (${isolated(opponent)}) liegt vorn`;
    const luck =
      chance > 0.05
        ? 'das kann Zufall sein: Stimme über mehr Zeilen ab, um sicher zu sein'
        : 'das ist kaum Zufall';
    return `${winner}: trainiert ${tuned}, ${other} ${base}${ties}. Gäbe es keinen Unterschied, kämen so ungleiche Stimmen in ${Math.round(100 * chance)} % der Fälle vor; ${luck}.`;
  },
  startAgain: 'Neu beginnen',
  start: 'Beginnen',
  dropToCompare:
    'Lege in Schritt 2 eine Validierungsdatei ab: Dieser Adapter und das Basismodell oder ein anderer Adapter beantworten ihre Zeilen, und du sagst, welche Antwort besser ist, ohne zu wissen, von wem sie stammt.',
  chooseToCompare:
    'Wähle in Schritt 1 das Modell dieses Laufs und lege in Schritt 2 eine Validierungsdatei ab, um Antworten blind zu vergleichen.',
  bothAnswered: (rowsDone, of) =>
    `Beide haben ${rowsDone} von ${of} Zeilen beantwortet. Du kannst schon abstimmen.`,
  ballotRow: (place, of, set, line) => `Zeile ${place} von ${of} aus ${quoted(set)}, Zeile ${line} der Datei`,
  answerSide: (side) => `Antwort ${side}`,
  isBetter: (side) => `${side} ist besser`,
  tie: 'Unentschieden',
  votesOn: (set) => `Stimmen zu ${quoted(set)}`,
  votes: { tuned: 'trainiert', base: 'Basis', tie: 'unentschieden' },
  nothingBefore: 'davor steht nichts, also sagt es nichts vorher',
  tokenLosses: (base, tuned) =>
    `Basis ${fixed(base, 3)}, trainiert ${fixed(tuned, 3)} (${tuned > base ? '+' : '−'}${fixed(Math.abs(tuned - base), 3)})`,
  dropToSeeRows: 'Lege in Schritt 2 Trainings- oder Validierungsdaten ab, um ihre Zeilen hier zu sehen.',
  chooseToSeeRows:
    'Wähle in Schritt 1 das Modell dieses Laufs und lege in Schritt 2 eine Datendatei ab, um ihre Zeilen hier zu sehen.',
  meanLosses: ({ base, tuned }) =>
    `Mittlerer Verlust dessen, woraus gelernt wird: Basis **${fixed(base, 4)}**, trainiert **${fixed(tuned, 4)}**.`,
  idAndPosition: (id, position) => `ID ${id}, Position ${position}`,
  lossOfBase: 'Verlust des Basismodells',
  lossOfTuned: 'Verlust des trainierten Modells',
  beforeBase: 'Vorher: Basismodell',
  afterTuned: 'Nachher: trainiert',
  lossFrom: (loss) => `Verlust ${loss}`,
  andMore: (loss) => `${loss} und mehr`,
  adapterOfStep: (step) => `Adapter von Schritt ${step}`,
  fromHistory: (name, step) => `Adapter von Schritt ${step} von ${isolated(name)}, aus dem Verlauf`,
  writtenIntoFolder: 'Der Adapter steht jetzt in dem Ordner.',
  folderFailed: (reason) =>
    `In den Ordner ließ sich nicht schreiben: ${clause(reason)}. Lade stattdessen das Zip herunter.`,
  runNotKept: (reason) =>
    `Dieser Lauf wird im Browser nicht aufbewahrt: Lade seinen Adapter jetzt herunter. ${translateMessage(reason)}`,
  exportForms: {
    'gguf-lora': 'GGUF-Adapter für llama.cpp, Ollama und LM Studio',
    gguf: 'Verschmolzenes Modell als GGUF',
    merged: 'Verschmolzenes Modell als safetensors',
    mlx: 'Adapter für mlx-lm',
    cluster: 'Auf einem größeren Rechner weitermachen (TRL)',
    player: 'Chatseite für jeden Host',
  },
  mergedWeights:
    'Verschmolzene Modelle entstehen aus den Gewichten, mit denen der Lauf trainiert hat: aus 4-Bit-Gewichten entquantisiert. Um mit den ursprünglichen 16-Bit-Dateien zu verschmelzen, nimm `npm run convert`.',
  exportWritten: (form, folder) => `${form}: in ${isolated(folder)} geschrieben.`,
  exportDownloaded: (form, file) => `${form}: als ${file} heruntergeladen.`,
  playerMissing: (file) =>
    `player/${file}, das diese Seite mitgibt, war nicht zu holen: Es wird nicht für den Betrieb ohne Netz aufbewahrt. Stelle eine Verbindung her und exportiere noch einmal.`,
  answers: 'Antworten',
  file: 'Datei',
  evaluation: 'Auswertung',
  acrossEvaluations: 'diese Zeile bei jeder Auswertung',
  previousRow: 'Vorige Zeile',
  nextRow: 'Nächste Zeile',
  reference: 'Referenz',
  onlyInAnswer: 'nur in der Antwort',
  onlyInReference: 'nur in der Referenz',
  beforeAndAfter: 'Antworten, vorher und nachher',
  comesNext: 'kommt mit der nächsten Auswertung',
  chat: 'Chat',
  adapterScalePercent: 'Stärke des Adapters in Prozent',
  scaleHelp:
    '0 % ist das Basismodell, 100 % wie trainiert. Wenn du den Regler bewegst, wird die letzte Antwort neu geschrieben.',
  baseModelBeside: 'Basismodell daneben',
  message: 'Nachricht an das Modell',
  askSomething: 'Frag etwas',
  send: 'Senden',
  answerAgain: 'Neu antworten',
  newConversation: 'Neues Gespräch',
  sampling: 'Sampling',
  conversation: 'Gespräch',
  evaluateHeading: 'Auf Validierungsdateien auswerten',
  chooseItsModel: 'Wähle das Modell dieses Adapters: Sein Tokenizer liest die Zeilen.',
  dropToEvaluate:
    'Lege bei den Daten Validierungsdateien ab: Adapter und Basismodell werden darauf ausgewertet.',
  evaluationOfAdapter: 'Auswertung des Adapters',
  set: 'Daten',
  lossBase: 'Verlust, Basis',
  lossTuned: 'Verlust, trainiert',
  accuracyBase: 'Genauigkeit, Basis',
  accuracyTuned: 'Genauigkeit, trainiert',
  headToHead: 'Direkter Vergleich',
  validationSet: 'Validierungsdaten',
  rows: 'Zeilen',
  seedOfTest: 'Seed',
  stopAnswering: 'Antworten anhalten',
  keptVotes: 'Aufbewahrte Stimmen',
  against: 'Gegen',
  theBaseModel: 'das Basismodell',
  testOf: (set, opponent) =>
    opponent === null ? isolated(set) : `${isolated(set)}, gegen ${isolated(opponent)}`,
  whichAnswerBetter: 'Welche Antwort ist besser?',
  voteKeys: 'Deine Stimme; Tasten A, T und B',
  ownAnswer: 'Die Antwort der Datei selbst',
  tally: 'Stand',
  line: 'Zeile',
  better: 'besser',
  tunedColumn: 'trainiert',
  base: 'Basis',
  heatMap: 'Verlust Token für Token',
  chooseFile: 'Datei wählen',
  row: 'Zeile',
  shadePrompt: 'auch den Prompt einfärben',
  scoringRow: 'Die Zeile wird bewertet',
  tokenValues: 'Werte eines Tokens',
  tokenKeys: 'Tokens; mit Pfeiltasten bewegen',
  loss: 'Verlust',
  startColumn: 'Anfang',
  best: 'bester',
  end: 'Ende',
  downloadAdapter: 'Adapter herunterladen',
  saveIntoFolder: 'In einen Ordner speichern',
  answersAfterRun: 'Der Adapter antwortet, wenn der Lauf zu Ende ist.',
  forOtherPrograms: 'Für andere Programme',
  ggufType: 'GGUF-Typ',
  asZip: 'als Zip',
  exportNotes: 'Was du zu diesem Export wissen solltest',
};

const history: Messages['history'] = {
  heading: 'Verlauf',
  open: 'Öffnen:',
  resultOf: (title) => `Ergebnis von ${isolated(title)}`,
  allRuns: (count) => `Alle ${count} Läufe`,
  noResultYet:
    'Wenn ein Lauf endet, ist sein Adapter hier: um neben dem Basismodell mit ihm zu chatten, ihn Token für Token anzusehen, blind zu vergleichen und ihn für andere Programme herunterzuladen.',
  earlierResults: 'Ergebnisse früherer Läufe',
  runsKept:
    'Jeder Lauf wird hier mit Rezept, Kurven, Antworten, Stimmen und Adapter behalten, nur in diesem Browser.',
  tickToCompare: 'Hake Läufe an, um sie zu vergleichen.',
  tryAdapter: 'Einen anderen Adapter ausprobieren',
  tryFiles: 'Adapterdateien zum Ausprobieren wählen',
  tryFolder: 'Adapterordner zum Ausprobieren wählen',
  tryHint:
    'Lege einen PEFT-Ordner oder einen GGUF-LoRA-Adapter hier ab, von hier oder anderswo, für das gewählte Modell: Er antwortet mit dem Systemprompt des Rezepts, wird ausgewertet und exportiert wie der eines Laufs.',
  continueAdapter: 'Von einem anderen Adapter aus weitermachen',
  continueFiles: 'Adapterdateien wählen',
  continueFolder: 'Adapterordner wählen',
  continueHint:
    'Lege einen PEFT-Ordner (adapter_config.json und adapter_model.safetensors) hier ab, von hier oder von Python, oder einen GGUF-LoRA-Adapter: Der nächste Lauf geht von ihm aus.',
  importRun: 'Einen Lauf von einem anderen Rechner fortsetzen',
  importRunFile: 'Laufdatei wählen',
  importRunHint:
    'Lege die Datei hier ab, die „Exportieren, um anderswo weiterzumachen“ dort gespeichert hat. Mit ihrem Modell und ihren Dateien hier geht der Lauf weiter; auf der gleichen Art von Grafikkarte zu den gleichen Bytes.',
  filter: 'Filtern',
  filterHint: 'Wörter aus Name, Notiz, Schlagwort, Modell oder Zustand',
  lossOf: 'Verlust von',
  keptRuns: 'Behaltene Läufe',
  compare: 'Vergleichen',
  actions: 'Aktionen',
  noneFound: 'Kein Lauf hat alle diese Wörter.',
  openNow: 'Ist offen',
  less: 'Weniger',
  more: 'Mehr',
  name: 'Name',
  tags: 'Schlagwörter, mit Kommas dazwischen',
  tagsExample: 'Vergleich, Pirat',
  notes: 'Notizen',
  trainOn: 'Von seinem Adapter aus weitertrainieren',
  downloadAdapter: 'Seinen Adapter herunterladen',
  exportRunFile: 'Exportieren, um anderswo weiterzumachen',
  exportAll: 'Alles exportieren',
  deleteForGood: 'Endgültig löschen?',
  keepIt: 'Behalten',
  comparison: 'Vergleich von Läufen',
  tableCsv: 'Tabelle als CSV',
  curvesCsv: 'Kurven als CSV',
  sameRecipes: 'Ihre Rezepte sind gleich.',
  differences: 'Unterschiede der Läufe',
  run: 'Lauf',
  columns: {
    run: 'Lauf',
    state: 'Zustand',
    started: 'begonnen',
    learningRate: 'Lernrate',
    r: 'r',
    time: 'Zeit',
    size: 'Größe',
  },
  lossColumn: (curve) => `${curve}: Anfang → Ende`,
  bestColumn: (curve) => `${curve}: am besten → Ende`,
  kept: (runs, size) => `${plural(runs, { one: '# Lauf', other: '# Läufe' })}, ${size}`,
  storageUsed: (used, quota) =>
    `${used} von ${quota} Speicher des Browsers sind belegt, Modelle eingeschlossen.`,
  found: (count, of) => `${integer(count)} von ${integer(of)} Läufen`,
  compareRun: (title) => `${title} vergleichen`,
  wentOnFrom: (name) => ` · ging aus von ${name}`,
  resumeFrom: (step) => `Weiter ab ${step}`,
  ofRun: (title) => ` von ${title}`,
  deleteRun: (title) => `${title} löschen`,
  deleteQuestion: (title) => `${title} löschen?`,
  compared: (count) => `${integer(count)} Läufe im Vergleich`,
  states: {
    running: 'läuft',
    finished: (steps) => `fertig, ${steps} Schritte`,
    stoppedEarly: (step, of) => `früh beendet bei Schritt ${step} von ${of}`,
    stopped: (step, of) => `angehalten bei Schritt ${step} von ${of}`,
    diverged: (step, of) => `divergiert bei Schritt ${step} von ${of}`,
    failed: (step, of) => `gescheitert bei Schritt ${step} von ${of}`,
    cutOff: 'abgebrochen vor dem ersten Speicherpunkt',
    saved: (step, of) => `abgebrochen; gespeichert bei Schritt ${step} von ${of}`,
  },
  otherModel: (name) =>
    `Der Adapter ${name}, von dem der Lauf ausgehen soll, wurde gegen ein anderes Modell geprüft. Wähle ihn für dieses noch einmal, oder beginne von vorn.`,
  needsSettings: (name, settings) =>
    `Der Adapter ${name}, von dem der Lauf ausgehen soll, braucht ${settings}. Stelle das Rezept so ein, oder beginne von vorn.`,
};

const queue: Messages['queue'] = {
  ended: (count, of, isResting) =>
    `${count} von ${of} zu Ende${isResting ? ', nach diesem Lauf ist Pause' : ''}`,
  continueQueue: (count) => `Warteschlange fortsetzen (${count})`,
  startQueue: (count) => `Warteschlange starten (${count})`,
  toQueueMore: (reason) => `Um mehr einzureihen: ${reason}`,
  waits: 'Wartet',
  running: 'Läuft',
  goesOn: 'Abgeschnitten; geht vom letzten gespeicherten Schritt weiter',
  elsewhere: 'Geht in einem anderen Tab dieses Browsers weiter',
  lost: 'Der Browser behält nichts mehr von der Warteschlange: Sein Speicher für Einstellungen ist voll oder gesperrt. Sie arbeitet, ist aber nach dem Neuladen verloren. Kürze die System-Prompts oder nimm Läufe heraus.',
  cutOffBefore: 'Abgeschnitten, bevor er begann',
  earlier: (title) => `${isolated(title)} früher laufen lassen`,
  later: (title) => `${isolated(title)} später laufen lassen`,
  tryNamedAgain: (title) => `${isolated(title)} noch einmal versuchen`,
  stopNamed: (title) => `${isolated(title)} anhalten; der nächste beginnt`,
  takeOut: (title) => `${isolated(title)} aus der Warteschlange nehmen`,
  clear: 'Wegräumen',
  works: 'Die Warteschlange arbeitet: Mehr kannst du einreihen, wenn sie ruht.',
  fromScratch: 'Ein eingereihter Lauf beginnt von vorn: Nimm zuerst den Adapter heraus.',
  isPlanned: 'Der Lauf wird gerade geplant.',
  dropFirst: (names) => `Lege zuerst ${isolated(names)} ab: Die Warteschlange braucht die Zeilen.`,
  noModel: 'Ein Lauf wird für ein Modell eingereiht, und es ist keines gewählt.',
  notPlanned: 'Der Lauf ließ sich nicht planen.',
  modelGone: (name) =>
    `${isolated(name)} ist in diesem Browser nicht mehr gespeichert. Lege es wieder ab und versuche diesen Lauf noch einmal.`,
  dropNamed: (names) => `Lege zuerst ${isolated(names)} ab.`,
  otherFiles: (queued, now) =>
    `Eingereiht wurde er mit ${isolated(queued)}, jetzt ist ${isolated(now)} da. Lege die andere Datei ab und versuche es noch einmal.`,
  fileChanged: (name) =>
    `${isolated(name)} ist nicht mehr, was es war, als dieser Lauf eingereiht wurde. Nimm wieder die alte Datei oder reihe den Lauf neu ein.`,
  addSetting: 'Füge eine Einstellung hinzu.',
  takeSettingOut: (key) => `${key} aus dem Sweep nehmen`,
  runs: (count) => plural(count, { one: '# Lauf', other: '# Läufe' }),
  needs: (steps, memory) =>
    `, zusammen ${integer(steps)} Schritte. GPU-Speicher: höchstens ${bytes(memory)} auf einmal.`,
  timeUnknown: 'Zeit: bekannt, sobald ein erster Lauf mit diesem Modell und diesen Zeilen zu Ende ist.',
  timeNeeded: (seconds, speedOf) => `Zeit: etwa ${duration(seconds)}, nach dem Tempo von ${quoted(speedOf)}.`,
  planned: (count) => `, ${count} geplant`,
  plannedLater: '. Geplant wird, wenn der gegenwärtige Lauf zu Ende ist.',
  states: {
    waiting: 'wartet',
    running: 'läuft',
    interrupted: 'abgeschnitten',
    failed: 'gescheitert',
  },
  sweep: (place) => `Sweep ${place}`,
  runsEnded: (count, of) => `${count} von ${of} Läufen zu Ende`,
  downloadTable: (place) => `Tabelle von Sweep ${place} als CSV herunterladen`,
  bestSoFar: (name, basis) => `Bisher am besten: **${isolated(name)}**, nach ${isolated(basis)}.`,
  runsOf: (place) => `Läufe von Sweep ${place}`,
  startBestEnd: 'Anfang → bester → Ende',
  openResult: (name) => `Ergebnis von ${isolated(name)} öffnen`,
  curveOf: (place) => `Kurve von Sweep ${place}`,
  lossOf: (name) => `Verlust von ${isolated(name)}`,
  reasons: {
    finished: 'fertig',
    stopped: 'angehalten',
    'early stopping': 'vorzeitig beendet',
    diverged: 'entgleist',
  },
  heading: 'Mehrere Läufe: Warteschlange und Sweep',
  queue: 'Warteschlange',
  intro:
    'Eingereihte Rezepte werden eines nach dem anderen mit den Dateien trainiert, die hier sind. Scheitert eines, gehen die anderen weiter. Die Warteschlange übersteht ein Neuladen: Was wartet, bleibt, und was abgeschnitten wurde, geht vom letzten gespeicherten Schritt weiter.',
  queuedRuns: 'Eingereihte Läufe',
  wasCutOff:
    'Die Seite wurde geschlossen oder neu geladen, während die Warteschlange arbeitete. Nichts ist verloren: Mach weiter, wenn Modell und Dateien da sind.',
  goOnAfter: 'Nach diesem Lauf weitermachen',
  restAfter: 'Nach diesem Lauf ruhen',
  stopAndRest: 'Diesen Lauf anhalten und ruhen',
  addRecipe: 'Dieses Rezept einreihen',
  clearEnded: 'Beendete wegräumen',
  startsLater: 'Die Warteschlange kann beginnen, wenn der gegenwärtige Lauf zu Ende ist.',
  tryAgain: 'Noch einmal versuchen',
  sweepHeading: 'Einen Sweep machen: ein Rezept über mehrere Werte',
  sweepIntro:
    'Jede Kombination dieser Werte wird ein Lauf; Seed, Zeilen und alles andere im Rezept bleiben gleich. Schreib Zahlen mit Kommas dazwischen.',
  sweepSettings: 'Einstellungen des Sweeps',
  anotherSetting: 'Weitere Einstellung',
  chooseOne: 'wähle eine',
  add: 'Hinzufügen',
  whatItNeeds: 'Was der Sweep braucht',
  scaleHelp:
    'Der Adapter wird mit lora_alpha durch r skaliert. Bleibt lora_alpha, wie es ist, wird ein größeres r weniger skaliert; nimm lora.lora_alpha dazu, um beides zu versuchen.',
  startSweep: 'Sweep starten',
  putIntoQueue: 'Seine Läufe einreihen',
  run: 'Lauf',
  state: 'Zustand',
  actions: 'Aktionen',
  open: 'Öffnen',
};

const kept: Messages['kept'] = {
  restored: (model, files) => {
    const recipe = model === null ? 'das Rezept' : `das Rezept, das Modell ${isolated(model)}`;
    const data = files === 0 ? '' : ` und ${plural(files, { one: '# Datendatei', other: '# Datendateien' })}`;
    return `Die Arbeit vom letzten Besuch ist wieder da: ${recipe}${data}.`;
  },
  startAfresh: 'Neu beginnen',
  dismiss: 'Schließen',
  lost: 'Vom letzten Besuch fehlen diese Dateien:',
  onDisk: 'wo sie auf der Platte lag',
  giveAgain: 'bitte erneut wählen oder ablegen',
  reopen: 'Am alten Ort öffnen',
  reopenHint: 'Der Browser fragt, ob die Seite sie lesen darf.',
  notKept:
    'Der Browser behält nichts mehr von dieser Seite: Sein Speicher für Einstellungen ist voll oder gesperrt. Ein Neuladen bringt die Arbeit zurück, wie sie vorher war.',
  forgetMissing: 'Ohne sie weitermachen',
  copies: (size) => `Eine Kopie dieser Dateien in diesem Browser behalten (${bytes(size)})`,
  copiesHint:
    'Dann sind sie nach dem Neuladen da. Sie bleiben auf diesem Rechner und werden gelöscht, wenn du den Haken entfernst.',
  copied: (size) => `${bytes(size)} sind behalten.`,
  forgetCopies: 'Kopien vergessen',
  byHandle: (names) =>
    `Von ${names} ist nur der Ort auf der Platte gemerkt: Nach dem Neuladen öffnet ein Klick sie wieder.`,
};

const background: Messages['background'] = {
  notify: 'Am Ende benachrichtigen',
  willNotify: 'Am Ende kommt eine Benachrichtigung ohne Ton, wenn du gerade nicht hinsiehst.',
  dontNotify: 'Lieber nicht',
  refused:
    'Keine Benachrichtigung am Ende: Dieser Browser verweigert sie der Seite. Erlaube sie in den Einstellungen der Website, neben der Adresse.',
  noticeTitle: 'Finetab: Der Lauf ist zu Ende',
  queueEnded: (ended, failed) =>
    `Die Warteschlange ruht: ${plural(ended, { one: '# Lauf', other: '# Läufe' })} zu Ende${failed === 0 ? '' : `, davon ${failed} fehlgeschlagen`}.`,
  away: {
    frozen: ({ seconds, frozenSeconds, steps }) =>
      `Der Tab war ${duration(seconds)} verdeckt, davon hatte ihn der Browser ${duration(frozenSeconds)} eingefroren: Da wurde nichts gerechnet. Der Lauf machte ${plural(steps, { one: '# Schritt', other: '# Schritte' })}. Gib dem Tab ein eigenes Fenster, oder nimm die Seite vom Energiesparen des Browsers aus.`,
    heldUp: ({ seconds, longestGap, steps }) =>
      `Der Tab war ${duration(seconds)} verdeckt; davon kam ${duration(longestGap)} lang kein Schritt, und ${plural(steps, { one: '# Schritt wurde', other: '# Schritte wurden' })} gemacht. Das tut ein Rechner im Ruhezustand oder ein Browser, der Energie spart. Der Lauf geht dort weiter, wo er war.`,
    slower: ({ seconds, steps, secondsPerStepBefore }) =>
      `Der Tab war ${duration(seconds)} verdeckt: Ein Schritt dauerte ${fixed(seconds / steps, 2)} s, sichtbar ${fixed(secondsPerStepBefore!, 2)} s. Auswertungen dazwischen zählen mit.`,
    same: ({ seconds, steps }) =>
      `Der Tab war ${duration(seconds)} verdeckt: Der Lauf machte ${plural(steps, { one: '# Schritt', other: '# Schritte' })} und wurde nicht gebremst.`,
    unknown: ({ seconds, steps }) =>
      `Der Tab war ${duration(seconds)} verdeckt: Der Lauf machte ${plural(steps, { one: '# Schritt', other: '# Schritte' })}.`,
  },
};

const tabs: Messages['tabs'] = {
  label: 'Mehr vom Lauf',
  answers: 'Antworten im Ganzen',
  changes: 'Besser oder schlechter',
  sampled: 'Gezogene Antworten',
  rows: 'Was gelernt wird',
  notes: 'Notizen und Kernel',
  noAnswers: 'Noch keine Auswertung mit Antworten.',
  firstSamples: 'Der erste Schritt bringt seine Antworten hierher.',
  resultLabel: 'Was du mit dem Adapter tun kannst',
  evaluate: 'Auswerten',
  evaluation: 'Auswertung',
};

const curves: Messages['curves'] = {
  smoothing: 'Glättung',
  unsmoothed: 'keine',
  log: 'Logarithmische Skala',
  metric: 'Maß der Validierungsdateien',
  csv: 'Alle Kurven als CSV',
  training: 'Trainingsverlust',
  waiting: 'wartet',
  evaluating: 'wird ausgewertet',
  raw: 'roh',
  smoothed: 'geglättet',
  best: 'am besten',
  forgets: 'vergisst',
  files: 'Validierungsdateien',
  rewards: 'Belohnungen',
  preferences: 'Präferenzen',
  others: 'Lernrate, Gradientennorm, Tempo',
  learningRate: 'Lernrate',
  gradNorm: 'Gradientennorm',
  speed: 'Token je Sekunde',
  atAStep: 'Bei einem Schritt',
  step: 'Schritt',
  fileOfAnswer: 'Datei der Antwort',
  row: 'Zeile',
  ofThePast: (percent) => `${percent} % der Vergangenheit`,
  smoothedState: (value, isSmoothed) =>
    `${fixed(value, 4)}${isSmoothed ? '; die dicke Linie ist geglättet' : ''}`,
  fileState: (value, best, isKept) =>
    `${value}${best === null ? '' : `, am besten bei Schritt ${best}`}${isKept ? ', behalten' : ''}`,
  answeredAt: (step) => `geantwortet bei Schritt ${step}`,
};

const changes: Messages['changes'] = {
  twoNeeded: 'Zum Vergleichen braucht es zwei Auswertungen mit Antworten.',
  file: 'Datei',
  from: 'Von',
  to: 'bis',
  shown: 'Gezeigte Zeilen',
  by: 'Nach ROUGE-L gegen die Antwort der Datei; eine Antwort, die ihr gleicht, ist besser als jede andere.',
  row: 'Zeile',
  empty: '(leer)',
  verdicts: { better: 'besser', worse: 'schlechter', same: 'gleich' },
  counted: (verdict, count) =>
    `${integer(count)} ${{ better: 'besser', worse: 'schlechter', same: 'gleich' }[verdict]}`,
  of: (name) => `Änderungen bei ${isolated(name)}`,
};

const chart: Messages['chart'] = {
  noValue: (title) => `${title}: noch kein Wert`,
  hasNone: (name) => `${name} hat keinen`,
  ends: (first, from, last, to, count) =>
    `von ${first} bei Schritt ${from} bis ${last} bei Schritt ${to}, ${count} Werte`,
  atStep: (step, value) => (value === null ? `Schritt ${step}` : `Schritt ${step}: ${value}`),
  smaller: 'Kleiner',
  larger: 'Größer',
  saveAs: (title, format) => `Das Diagramm ${title} als ${format} speichern`,
};

const lesson: Messages['lesson'] = {
  offer: 'Zeig mir alles: eine Lektion in sechs Schritten',
  stepOf: (step, of) => `Schritt ${step} von ${of}`,
  startDemo: 'Die Demo starten',
  preparing: 'Die Demo wird vorbereitet',
  next: 'Weiter',
  back: 'Zurück',
  finish: 'Die Lektion beenden',
  showMe: 'Zeig mir die Stelle',
  skip: 'Die Lektion überspringen',
  steps: {
    start: {
      title: 'Ein Modell lernt, wie ein Pirat zu reden',
      text: 'Ein kleines Sprachmodell ist dabei und 400 Fragen mit Piratenantworten. Drück den Knopf: Es trainiert hier, auf diesem Rechner, während du dich umsiehst.',
    },
    mask: {
      title: 'Woraus es lernt',
      text: 'Das ist eine Zeile, wie das Modell sie sieht, Stück für Stück. Die unterstrichenen Stücke werden gelernt: die Antwort. Der Rest wird nur gelesen. Geh über ein Stück, um zu sehen, was das Modell dort vorhersagen muss, und öffne „Warum ist diese Zeile so maskiert?“.',
    },
    curves: {
      title: 'Der Verlust fällt',
      text: 'Der Verlust sagt, wie sehr das Modell von den richtigen Antworten überrascht ist. Die obere Kurve gehört zu Zeilen, mit denen es trainiert; die darunter zu Dateien, mit denen es nie trainiert. Nur wenn auch sie fallen, hat es mehr gelernt als die Zeilen auswendig. Ein „?“ neben einem Namen erklärt ihn.',
    },
    answers: {
      title: 'Die Antworten ändern sich',
      text: 'Dieselben Fragen, vor dem Training beantwortet und jetzt. Die neuen Antworten kommen mit den ersten Auswertungen; Zahlen können täuschen, also lies sie.',
    },
    chat: {
      title: 'Frag es selbst',
      text: 'Wenn der Lauf zu Ende ist, stell beiden Modellen dieselbe Frage: links das Basismodell, daneben das trainierte. Mit dem Regler mischst du weniger von dem bei, was gelernt wurde.',
    },
    own: {
      title: 'Und jetzt mit eigenen Zeilen',
      text: 'Wähle ein Modell, das passt, leg unter Daten eine Datei mit Fragen und Antworten ab und drück auf Trainieren. Was auch herauskommt: Den Adapter kannst du unter Ergebnis herunterladen.',
    },
  },
};

const largeTimes = (count: number) => (count > 1 ? `, und insgesamt ${count}-mal groß` : '');
const timesSeen = (epochs: number) => (epochs === 1 ? 'einmal' : `${significant(epochs, 2)}-mal`);

const explain: Messages['explain'] = {
  whyRise: 'Warum stieg der Verlust?',
  nothingRecorded: 'Nichts, was von diesem Lauf aufgezeichnet ist, geht damit einher.',
  factsNotCauses:
    'Das sind Tatsachen dieses Laufs, die oft mit einem Anstieg einhergehen. Welche davon die Ursache ist, zeigt nur ein weiterer Lauf: Ändere eines davon, oder mach einen Sweep.',
  rose: ({ name, best, bestStep, last, lastStep }) =>
    `${isolated(name)} war am besten bei Schritt ${bestStep} mit ${fixed(best, 3)}, und ${fixed(last, 3)} bei Schritt ${lastStep}.`,
  bestBefore: (name) =>
    `Am besten war es vor dem ersten Schritt: Das Training hat ${isolated(name)} nie verbessert, es entfernte sich nur davon. Zeilen wie die von ${isolated(name)} in der Trainingsdatei oder eine kleinere learning_rate erhalten mehr davon.`,
  trainingFell: (before, after) =>
    `Der Trainingsverlust ging unterdessen von ${fixed(before, 3)} auf ${fixed(after, 3)} (Mittel beider Hälften): Er fiel, während dieser stieg; der Lauf lernte also seine eigenen Zeilen besser kennen und diese schlechter. Weniger Schritte oder ein kleineres r halten das auf.`,
  trainingRose: (before, after) =>
    `Der Trainingsverlust ging unterdessen von ${fixed(before, 3)} auf ${fixed(after, 3)} (Mittel beider Hälften): Auch er stieg, es wurden also nicht nur diese Zeilen schlechter. Versuch zuerst eine kleinere learning_rate.`,
  seenOften: (last, best) =>
    `Jede Zeile war am Ende ${timesSeen(last)} gesehen worden, und ${timesSeen(best)} beim besten Schritt. metric_for_best_model gibt den besten Schritt heraus; ein kleineres num_train_epochs endet früher.`,
  largeRate: (rate) => `learning_rate ist ${rate}, mehr als die 1e-4 bis 5e-4, die sich meist eignen.`,
  bestBeforePeak: (rate, step) =>
    `Der beste Schritt liegt vor dem Gipfel der Lernrate von ${rate} bei Schritt ${step}: Der Anstieg kam mit den größeren Schritten.`,
  spikes: ({ norm, step, times, count, clip }) =>
    `Die Norm des Gradienten war ${fixed(norm, 3)} bei Schritt ${step}, das ${significant(times, 2)}-Fache des Üblichen${largeTimes(count)}; gekürzt wird auf max_grad_norm ${clip}. Sieh dir die Zeilen dieses Schritts an.`,
  fewRows: (count) =>
    `Es gibt nur ${integer(count)} Trainingszeilen: Wenige Zeilen sind bald auswendig gelernt.`,
  manyDuplicates: (duplicates, of) =>
    `${integer(duplicates)} von ${integer(of)} Trainingszeilen wiederholen eine andere: Sie wiegen mehr als der Rest. Beim Schritt Daten sind sie aufgeführt.`,
  sourceOf: (source, about) => `${source} zu ${about} (öffnet eine andere Seite)`,
  whatIs: (name) => `Was ist das: ${name}?`,
  terms: {
    masks: 'Eine Maske sagt, welche Tokens gelernt werden: die Antworten; alles andere wird nur gelesen.',
    chatTemplate: 'Die Form, die ein Gespräch bei diesem Modell hat: welche Tokens um jeden Beitrag stehen.',
    rows: 'Beispiele, aus denen gelernt wird. Ein langer Text, oder ein Gespräch, das es braucht, zählt als mehrere.',
    tokens: 'Stücke von Wörtern, wie das Modell sie liest. Zeit und Speicher wachsen mit ihrer Zahl.',
    learnedFrom:
      'Tokens, für die der Verlust berechnet wird: die Antworten mit ihrem Ende. Fragen werden nur gelesen.',
    longest: 'Die längste Zeile in Tokens. Sie entscheidet, wie viel Speicher ein Lauf braucht.',
    truncated: 'Zeilen, die länger sind als max_length: Ihr Ende wird abgeschnitten.',
    repeated: 'Zeilen, die dasselbe sagen wie eine frühere. Sie werden um so viel öfter gelernt.',
    leftOut: 'Zeilen, aus denen nicht gelernt werden kann; der Grund steht jeweils darunter.',
    loss: 'Wie sehr das Modell im Mittel von jedem nächsten Token der Antworten überrascht ist, in Nat: 0 ist nie überrascht. Kleiner ist besser; bei Zeilen, mit denen nicht trainiert wurde, heißt das: Es lernt.',
    gradNorm:
      'Wie stark ein Schritt am Adapter zieht, bevor auf max_grad_norm gekürzt wird. Ausschläge deuten auf seltsame Zeilen oder eine zu große Lernrate.',
    learningRate: 'Wie groß ein Schritt ist, so wie der Plan sie in diesem Augenblick vorsieht.',
    speed: 'Tokens ohne Auffüllung, mit denen in einer Sekunde trainiert wird.',
    step: 'Eine Änderung des Adapters aus per_device_train_batch_size × gradient_accumulation_steps Zeilen.',
    savedAt:
      'Der letzte Checkpoint in diesem Browser: Von dort geht ein Lauf nach dem Neuladen oder einem Absturz weiter.',
    perplexity:
      'e hoch Verlust: zwischen wie vielen gleich wahrscheinlichen Tokens das Modell gleichsam schwankt.',
    tokenAccuracy: 'Anteil der Tokens der Antworten, die das Modell für die wahrscheinlichsten hält.',
    rouge:
      'Wie viel eine erzeugte Antwort mit der eigenen der Datei gemein hat: an Wörtern (1), Paaren (2) oder der Reihe nach (L); 0 bis 100.',
    bleu: 'Wie viele Folgen von bis zu vier Wörtern eine erzeugte Antwort mit der eigenen der Datei gemein hat; 0 bis 100.',
    chrf: 'Dasselbe nach Zeichen, gerechter für Sprachen mit vielen Endungen; 0 bis 100.',
    exactMatch: 'Anteil der erzeugten Antworten, die Buchstabe für Buchstabe die der Datei sind.',
    lengths:
      'Mittlere Länge erzeugter Antworten. Wächst sie bis max_new_tokens, wurde das Aufhören nie gelernt.',
    stopped: 'Anteil der Antworten, die von selbst endeten, vor max_new_tokens.',
    preferences:
      'Wie sehr der Adapter die erwünschte Antwort vorzieht: Belohnungen sind Unterschiede der Log-Wahrscheinlichkeit zum Basismodell mal beta.',
    forgets:
      'Ein Verlust, der nach seinem besten Wert wieder steigt, oder über seinen Anfang: Was das Basismodell konnte, geht verloren.',
    weights: 'Das Basismodell, das bleibt, wie es ist; in 4 Bit nimmt es ein Viertel des Platzes ein.',
    adapter: 'Die zwei kleinen Matrizen neben jeder Schicht: alles, was gelernt wird.',
    optimizer:
      'Gradienten und die zwei laufenden Mittel, die AdamW von ihnen führt: drei weitere Zahlen zu jeder des Adapters.',
    activations: 'Was der Vorwärtslauf für den Rückwärtslauf aufhebt; es wächst mit den Tokens auf einmal.',
    kvCache: 'Keys und Values der Antworten, die gerade Token für Token erzeugt werden.',
    batch: 'Die Ids eines Micro-Batches und Tabellen wie die der Positionen.',
    adapterScale:
      'Wie viel vom Adapter zum Basismodell addiert wird: 0 % ist das Basismodell, 100 % wie trainiert.',
  },
  whyMasked: 'Warum ist diese Zeile so maskiert?',
  lookingUp: 'Die Zeile wird noch einmal gelesen',
  moreDocs: 'Wie aus Zeilen Masken werden',
  mask: {
    systemOfRecipe:
      'Der system_prompt des Rezepts: nur gelesen. Er steht vor jeder Zeile, die keine eigene Systemnachricht hat.',
    systemOfRow: 'Die eigene Systemnachricht der Zeile: nur gelesen.',
    question:
      'Was gefragt wird: nur gelesen. Das Modell lernt zu antworten, nicht zu fragen (TRL: assistant_only_loss).',
    systemAndQuestion:
      'Systemnachricht und Frage, die diese Chat-Vorlage als einen Beitrag schreibt: nur gelesen.',
    toolResult: 'Was ein Werkzeug zurückgab: nur gelesen. Aufrufe werden gelernt, ihre Ergebnisse nicht.',
    generationPrompt:
      'Wie die Chat-Vorlage eine Antwort beginnt (der Generation Prompt): nur gelesen, weil das Modell ihn bei jeder Antwort vorgesetzt bekommt.',
    answer: 'Eine Antwort mit dem Token, das sie beendet: gelernt.',
    thoughts:
      'Die Gedanken vor einer Antwort: gelernt, weil die Zeile sie hat (reasoning_content oder <think>).',
    calls: 'Aufrufe von Werkzeugen: gelernt wie eine Antwort.',
    chosen: 'Die erwünschte Antwort: Ihre Wahrscheinlichkeit wird erhöht.',
    rejected: 'Die unerwünschte Antwort: Ihre Wahrscheinlichkeit wird gesenkt.',
    unlearned:
      'Eine Antwort, die in der Zeile als nur gelesen gekennzeichnet ist (weight 0 oder train false).',
    givenTurn:
      'Eine Antwort innerhalb des Prompts: Von prompt und completion wird nur die completion gelernt.',
    maskHistory:
      'Eine frühere Antwort: nur gelesen, weil mask_history an ist und nur die letzte gelernt wird.',
    otherDocument:
      'Eine frühere Antwort und was auf sie folgt: hier nur gelesen. Diese Chat-Vorlage schreibt eine Antwort anders, sobald weitere Beiträge folgen; die Zeile wurde deshalb zu einem Dokument je Antwort, und gelernt wird diese in ihrem eigenen.',
    template: 'Was die Chat-Vorlage um die Beiträge herum schreibt: nur gelesen.',
    text: 'Roher Text: Alles davon wird gelernt.',
    firstToken: 'Das erste Token: Vor ihm steht nichts, also kann nichts es vorhersagen.',
  },
  maskCut: (tokens) =>
    `${plural(tokens, { one: '# weiteres Token wurde', other: '# weitere Tokens wurden' })} bei max_length abgeschnitten: weder gelesen noch gelernt.`,
  maskTrimmed:
    'Leerraum am Anfang einer Antwort wurde weggenommen: Seine Tokens verschmölzen mit denen des Prompts.',
  maskPrompt:
    'Von dieser Zeile wird nichts gelernt: Antworten auf sie werden gesampelt und durch ihre Belohnungen gelernt.',
};

export const de: Messages = {
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
