/** The page's texts: every language has all of them, and none stands anywhere else. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterEach, describe, expect, it } from 'vitest';
import { root } from '../../scripts/lib/site.ts';
import { untranslatedTexts } from '../../scripts/lib/untranslated.ts';
import { ADAPTER_MESSAGES } from '../../src/page/language/de/adapterMessages.de.ts';
import { CLASS_MESSAGES } from '../../src/page/language/de/classMessages.de.ts';
import { DEVICE_MESSAGES } from '../../src/page/language/de/deviceMessages.de.ts';
import { RECIPE_MESSAGES } from '../../src/page/language/de/recipeMessages.de.ts';
import { RUN_MESSAGES } from '../../src/page/language/de/runMessages.de.ts';
import { SETTING_MESSAGES } from '../../src/page/language/de/settingMessages.de.ts';
import { TOOL_MESSAGES } from '../../src/page/language/de/toolMessages.de.ts';
import { TOOL_NOTES } from '../../src/page/language/de/toolNotes.de.ts';
import { de } from '../../src/page/language/de.ts';
import { en } from '../../src/page/language/en.ts';
import { locale } from '../../src/page/language/locale.svelte.ts';
import { markedParts } from '../../src/page/language/markedParts.ts';
import { MODEL_MESSAGES } from '../../src/page/language/modelMessages.de.ts';
import { ROW_MESSAGES } from '../../src/page/language/rowMessages.de.ts';
import { translator } from '../../src/page/language/translated.ts';
import { LANGUAGES, preferredLanguage, t } from '../../src/page/language/messages.svelte.ts';
import {
  bytes,
  compact,
  exponential,
  fixed,
  integer,
  isolated,
  list,
  plural,
  precise,
  share,
} from '../../src/page/language/numbers.ts';

afterEach(() => locale.set('en', []));

/** Literals that are no text of the page, or stay English: log, files handed out, names of programs. */
const ALLOWED: Record<string, readonly string[]> = {
  'src/page/chart/plot.ts': ['…px system-ui', '600 …px system-ui'],
  'src/page/chart/saveChart.ts': ['600 …px system-ui'],
  'src/page/classroom/board/Board.svelte.ts': [
    "# Blend of a class\n\nPEFT's add_weighted_adapter, linear: ….\n",
  ],
  'src/page/data/distil/answersAddress.ts': ['LM Studio'],
  'src/page/errors/errorDetails.ts': ['The page shows: …', 'No error was recorded.'],
  'src/page/gpu/memoryVerdict.ts': ['gradient_checkpointing true', 'head_dtype q8_0'],
  'src/page/kept/keptWork.ts': ['it is not of the form that this version writes'],
  'src/page/layout/places.ts': [
    'textarea, select, input:not([type=file], [type=checkbox], [type=radio], [type=range])',
  ],
  'src/page/layout/theme.svelte.ts': ['(prefers-color-scheme: dark)'],
  // A model's name where it has none.
  'src/page/model/ModelLibrary.svelte.ts': ['dropped model'],
  'src/page/queue/queuedRuns.ts': ['a queued run is not of the form that this version writes'],
  'src/page/result/HeatMapPanel.svelte': ['background: color-mix(in oklab, var(--heat) …%, transparent)'],
  'src/page/Workspace.svelte.ts': ['rows are held out by the recipe'],
};

/** Names in more words than one, the same in all languages. */
const SAME = ['data|formatAlpaca', 'recipe|groups|lora', 'recipe|groups|training'];

interface MessageShape {
  /** Of each parameter its place, or the names of the parts that are taken out of it. */
  parameters: string[];
  /** Parameters that the text leaves out. */
  unused: string[];
  /** Signs of `code` and **strong** in it. */
  marks: number;
}

/** The messages of a language's file by keys such as "data|leak". */
function messagesOf(code: string): Map<string, MessageShape> {
  const path = join(root, 'src/page/language', `${code}.ts`);
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found = new Map<string, MessageShape>();
  const identifiers = (node: ts.Node): string[] => [
    ...(ts.isIdentifier(node) ? [node.text] : []),
    ...node.getChildren(file).flatMap(identifiers),
  ];
  const marksOf = (value: ts.Expression): number =>
    ts.isStringLiteral(value)
      ? [...value.text.matchAll(/`|\*\*/g)].length
      : [...value.getText(file).matchAll(/\\`|\*\*/g)].length;
  const shapeOf = (value: ts.Expression): MessageShape => {
    if (!ts.isArrowFunction(value)) return { parameters: [], unused: [], marks: marksOf(value) };
    const parameters = value.parameters.flatMap(({ name }, i) =>
      ts.isIdentifier(name)
        ? [{ part: `${i}`, local: name.text }]
        : name.elements.flatMap((element) =>
            ts.isBindingElement(element)
              ? [
                  {
                    part: `${i}.${(element.propertyName ?? element.name).getText(file)}`,
                    local: element.name.getText(file),
                  },
                ]
              : [],
          ),
    );
    const names = identifiers(value.body);
    return {
      parameters: parameters.map(({ part }) => part).sort(),
      unused: parameters.map(({ local }) => local).filter((local) => !names.includes(local)),
      marks: marksOf(value),
    };
  };
  const nameOf = (name: ts.PropertyName) => (ts.isStringLiteral(name) ? name.text : name.getText(file));
  const take = (key: string, value: ts.Expression): void => {
    if (!ts.isObjectLiteralExpression(value)) return void found.set(key, shapeOf(value));
    for (const property of value.properties)
      if (ts.isPropertyAssignment(property)) take(`${key}|${nameOf(property.name)}`, property.initializer);
  };
  for (const statement of file.statements) {
    const [declaration] = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [];
    const name = declaration?.name.getText(file);
    if (name && name in en && declaration?.initializer) take(name, declaration.initializer);
  }
  return found;
}

describe('languages', () => {
  const english = messagesOf('en');

  it('are found in their files', () => {
    expect(english.size).toBeGreaterThan(300);
    expect(english.get('data|columnsOf')).toEqual({ parameters: ['0'], unused: [], marks: 0 });
    expect(english.get('data|formatAlpaca')?.marks).toBe(6);
    expect(LANGUAGES.map(({ code }) => code)).toEqual(['en', 'de']);
  });

  it.each(LANGUAGES.map(({ code }) => code))('%s has every text, with the same parts and marks', (code) => {
    const theirs = messagesOf(code);
    expect([...theirs.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [key, { parameters, marks }] of english)
      expect(theirs.get(key), key).toEqual({ parameters, marks, unused: [] });
  });

  it('end a sentence once, where a reason that is part of it ends too', () => {
    const said = ({ run }: typeof en) => run.evaluationFailed('a', 'the file is gone.');
    expect(said(en)).toMatch(/: the file is gone\. The other/);
    expect(said(de)).toMatch(/: the file is gone\. Die anderen/);
  });

  it('say something else in German, but for names and the like', () => {
    const same = [...english.keys()].filter((key) => {
      const of = (messages: object) =>
        key.split('|').reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], messages);
      const text = of(en);
      return typeof text === 'string' && text.includes(' ') && text === of(de);
    });
    expect(same).toEqual(SAME);
  });
});

/** Literals that are whole sentences, with "#0", "#1" for what they name. */
function sentences(path: string): string[] {
  return literals(path).filter((text) => /\p{L}{2}[,;:.]? \p{L}.*\.$/u.test(text));
}

/** All literals of a file, with "#0", "#1" for what they name. */
function literals(path: string): string[] {
  const file = ts.createSourceFile(
    path,
    readFileSync(join(root, path), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    if (ts.isTemplateExpression(node))
      found.push(
        node.head.text + node.templateSpans.map(({ literal }, i) => `#${i}${literal.text}`).join(''),
      );
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe('messages about rows', () => {
  const translate = translator(ROW_MESSAGES);
  /** Files that write them, but for what is said while a row is edited and of Parquet's inner parts. */
  const written = execFileSync(
    'git',
    [
      'ls-files',
      ...['src/data/rows', 'src/data/files', 'src/data/documents.ts'],
      'src/worker/evaluation/evaluationHost.ts',
    ],
    { cwd: root, encoding: 'utf8' },
  )
    .split('\n')
    .filter((path) => /\.ts$/.test(path) && !/mend(Line|Row)|parquetBounds|maskReasons/.test(path));

  it('have a German one each, with all that they name', () => {
    const all = written.flatMap(sentences);
    expect(all.length).toBeGreaterThan(90);
    for (const text of all) {
      // "1 row is", of which the sentence names a part.
      const said = text
        .replace('#0 #1 left out', '#0 rows are left out')
        .replace(/^#0 that are/, 'Keys of rows that are');
      const german = translate(said);
      expect(german, text).not.toBe(said);
      // Of a count and a noun the German one may have other words.
      const named = [...said.matchAll(/#\d/g)]
        .map(([name]) => name)
        .filter((name) => !/has #0 #1 where/.test(said) || name !== '#1');
      for (const name of named) expect(german, text).toContain(name);
    }
  });

  it('are put together of messages within messages, and leave what a person wrote alone', () => {
    expect(
      translate(
        'has a "chosen" answer that cannot be used: it has no token to learn from after the template. Check the answer.',
      ),
    ).toBe(
      'hat eine Antwort „chosen“, die nicht zu gebrauchen ist: Sie hat nach der Vorlage kein Token zum Lernen. Prüf die Antwort.',
    );
    expect(
      translate('has no "prompt"; its keys are "a", "b". Rename them to "c" and "d", as in the other rows.'),
    ).toBe(
      'hat kein „prompt“; ihre Schlüssel sind "a", "b". Benenne sie in "c" und "d" um, wie in den anderen Zeilen.',
    );
    expect(
      translate(
        "2 conversations became 5 documents, one an answer: this model's chat template renders an answer otherwise once more turns follow.",
      ),
    ).toMatch(/^2 Gespräche wurden zu 5 Dokumenten/);
    expect(translate('a sentence of another program')).toBe('a sentence of another program');
  });
});

/** Parts of messages that are translated as a whole. */
const REQUEST = (what: string) =>
  `a: hub ${what} Try again, or download the model by hand and drop its folder.`;
const WHOLE: Record<string, string> = {
  'Download the file again.': 'a.gguf: it has no tensor token_embd.weight. Download the file again.',
  'each. Start from an adapter without them.':
    "The adapter's modules have ranks or alphas of their own (rank_pattern, alpha_pattern), and a run has one of each. Start from an adapter without them.",
  '#0: #1 #2 Try again, or download the model by hand and drop its folder.': REQUEST(
    'sent 1 bytes where 2 were asked for.',
  ),
  ...Object.fromEntries(
    [
      'ignored the range that was asked for and sent something else: it cannot be read piece by piece.',
      "says that the file has #0 bytes, the Hub's listing says #1.",
      'sent the bytes #0 to #1 where #2 to #3 were asked for.',
      'sent #0 bytes where #1 were asked for.',
    ].map((what) => [what, REQUEST(what)]),
  ),
};

describe('messages about models', () => {
  const translate = translator(MODEL_MESSAGES);
  const written = execFileSync(
    'git',
    [
      'ls-files',
      ...['checkpoint', 'safetensors', 'gguf/gguf', 'gguf/ggufCheckpoint', 'gguf/ggufTokenizer'].map(
        (name) => `src/formats/${name}.ts`,
      ),
      'src/formats/bundle',
      'src/formats/gguf/ggufPreTokenizers.ts',
      'src/import',
      'src/model/families/registry.ts',
      'src/storage',
      'src/data/tokenizer/modelFiles.ts',
      'src/data/template/templateSource.ts',
    ],
    { cwd: root, encoding: 'utf8' },
  )
    .split('\n')
    // A bundle whose parts do not fit together was made by hand.
    .filter((path) => /\.ts$/.test(path) && !path.endsWith('checkBundle.ts'));

  it('have a German one each, with all that they name', () => {
    const all = written.flatMap(sentences);
    expect(all.length).toBeGreaterThan(90);
    const missing = all.map((text) => WHOLE[text] ?? text).filter((text) => translate(text) === text);
    expect(missing).toEqual([]);
    for (const text of all.map((said) => WHOLE[said] ?? said))
      for (const [name] of text.matchAll(/#\d/g)) expect(translate(text), text).toContain(name);
  });

  it('are put together of a file and what is wrong with it', () => {
    expect(
      translate(
        'a b.safetensors: the file is cut off: 12 bytes are missing, from tensor x on. Download the file again.',
      ),
    ).toBe(
      'a b.safetensors: Die Datei ist abgeschnitten: Es fehlen 12 Byte, vom Tensor x an. Lade die Datei neu herunter.',
    );
  });
});

/** What follows a literal that is put together of several, by the last of them. */
const RUN_WHOLE: Record<string, string> = {
  ': remove it.': '"lr" is not a key of a recipe: remove it.',
  '#0 must be an object in braces.': '"#0" must be an object in braces.',
  '#0 is #1: it must be one of #2.': '"#0" is #1: it must be one of #2.',
  '#0 is #1: it must be a number that is not negative.':
    '"#0" is #1: it must be a number that is not negative.',
  ...Object.fromEntries(
    [
      'The #0 #1 on line #2 of #3 #4.',
      '#0 The answer was #1. Mend the function, or set its "on_error" to "skip".',
    ].map((text) => [
      text,
      'The #0 #1 on line #2 of #3 calls itself too deeply. The answer was #4. Mend the function, or set its "on_error" to "skip".',
    ]),
  ),
  '#0 Restart the browser or the computer and press Resume.':
    'The GPU was lost #0 times at the same place; the run is kept at step 5. Restart the browser or the computer and press Resume.',
  'Use a smaller model or a lower max_length.':
    'weights needs a buffer of 5 bytes; this GPU allows 4. Use a smaller model or a lower max_length.',
  'Update the browser and the graphics driver.':
    'The shader matmul did not compile on a GPU: no reason. Update the browser and the graphics driver.',
};

/** Sentences that no person sees as a message, with why. */
const NO_MESSAGES: Record<string, readonly string[]> = {
  // A default of a recipe, which stays as it is whatever the page's language.
  'src/training/recipe.ts': ['You are a helpful and friendly assistant.'],
  // Of the report, which is English; the page has run.kernelChoice and run.forgetting for these.
  'src/training/kernelRequest.ts': [
    '#0 Kernels that an earlier version chose shape by shape (#1) follow the general rule now: sums are made in another order, and figures may differ in their last digits.',
  ],
  'src/training/forgetting.ts': [
    'At step #0 the loss of #1 was #2, above its start of #3 (#4): the model forgets what this file asks.',
    '#0 Best was step #1. Lower learning_rate, train for fewer steps, or mix such rows into the training file.',
    '#0 At step #1 it is back at #2.',
  ],
  // Ends the command before a page is served.
  'scripts/classroom/server.ts': ['There is no index.html in #0. Build the page first: npm run build.'],
};

/** What a German sentence says in other words than by naming it. */
const UNNAMED: Record<string, readonly string[]> = {
  // "does" or "do".
  '"training.#0" is #1, which the method #2 does not read (#3 #4). Remove it, or change "method".': ['#4'],
  // "row" or "line".
  '#0 has no #1 #2 any more. Drop it again.': ['#1'],
};

describe('messages about runs and the class', () => {
  const tables = [
    ...[RUN_MESSAGES, DEVICE_MESSAGES, RECIPE_MESSAGES, SETTING_MESSAGES],
    ...[TOOL_MESSAGES, TOOL_NOTES, CLASS_MESSAGES, ADAPTER_MESSAGES],
  ];
  const translate = de.errors.shown;
  const written = execFileSync(
    'git',
    [
      'ls-files',
      ...['training', 'worker', 'engine', 'plan', 'gpu', 'lib', 'formats/adapters'].map(
        (name) => `src/${name}`,
      ),
      ...['formats/peft', 'formats/peftSettings', 'formats/gguf/ggufLora', 'export/runFile'].map(
        (name) => `src/${name}.ts`,
      ),
      ...['model/adapterTargets', 'model/adapterLayout', 'data/packing'].map((name) => `src/${name}.ts`),
      ...['server', 'session', 'http', 'messages', 'adapterZip'].map(
        (name) => `scripts/classroom/${name}.ts`,
      ),
    ],
    { cwd: root, encoding: 'utf8' },
  )
    .split('\n')
    // What an evaluation file's worker notes stands among the notes on its rows.
    .filter((path) => path.endsWith('.ts') && path !== 'src/worker/evaluation/evaluationHost.ts');

  it('have a German one each, with all that they name', () => {
    const all = written.flatMap((path) =>
      sentences(path).filter((text) => !NO_MESSAGES[path]?.includes(text)),
    );
    expect(all.length).toBeGreaterThan(230);
    const whole = all.map((text) => RUN_WHOLE[text] ?? text);
    expect(whole.filter((text) => translate(text) === text)).toEqual([]);
    for (const text of whole)
      for (const [name] of text.matchAll(/#\d/g))
        if (!UNNAMED[text]?.includes(name)) expect(translate(text), text).toContain(name);
  });

  it('leave nothing out that is no sentence any more', () => {
    const stale = Object.entries(NO_MESSAGES).flatMap(([path, texts]) =>
      texts.filter((text) => !sentences(path).includes(text)),
    );
    expect(stale).toEqual([]);
  });

  it('say in German what a value of a recipe must be', () => {
    const faults = written
      .filter((path) => /^src\/training\/recipe(\.ts$|\/)/.test(path))
      .flatMap(literals)
      .filter((text) => text.startsWith('must '));
    expect(faults.length).toBeGreaterThan(60);
    expect(faults.filter((text) => translate(text) === text)).toEqual([]);
    expect(translate('The recipe cannot be used: "lora.r" is -1: it must be at least 1.')).toBe(
      'Das Rezept ist nicht zu gebrauchen: „lora.r“ ist -1: Der Wert muss mindestens 1 sein.',
    );
  });

  it('are put together of several, one after another, or stay as they are', () => {
    const faults =
      '"rang" is not a key of a recipe: remove it. "lora.r" is -1: it must be at least 1. "lr" is not a key of a recipe: remove it.';
    expect(translate(`The recipe cannot be used: ${faults}`)).toBe(
      'Das Rezept ist nicht zu gebrauchen: „rang“ ist kein Schlüssel eines Rezepts: Entferne ihn. „lora.r“ ist -1: Der Wert muss mindestens 1 sein. „lr“ ist kein Schlüssel eines Rezepts: Entferne ihn.',
    );
    expect(
      translate(
        'This recipe of axolotl asks for what is not possible here. "gptq" is true: weights of GPTQ are not read. Remove it. It has no "learning_rate". Write one.',
      ),
    ).toBe(
      'Dieses Rezept von axolotl verlangt, was hier nicht geht. „gptq“ ist true: Gewichte von GPTQ werden nicht gelesen. Entferne es. Es hat keine „learning_rate“. Schreib eine.',
    );
    expect(translate('A run is going on. Stop it first.')).toBe('Ein Lauf ist im Gang. Halte ihn zuerst an.');
    expect(
      translate(
        'The GPU was lost 3 times at the same place; the run is kept at step 20. Restart the browser or the computer and press Resume.',
      ),
    ).toBe(
      'Die GPU ging 3-mal an derselben Stelle verloren; der Lauf ist bei Schritt 20 aufbewahrt. Starte den Browser oder den Rechner neu, und drücke „Fortsetzen“.',
    );
    const unknown = 'A sentence of another program. "a" is not a key of a recipe: remove it.';
    expect(translate(unknown)).toBe(unknown);
    expect(translate('"a" is 1: a sentence of another program.')).toBe(
      '"a" is 1: a sentence of another program.',
    );
  });

  it.each([
    [
      'f could not be evaluated at step 20: the file was not read. Its eval_f_loss is the metric_for_best_model: without it the best adapter and an early end cannot be decided, so the training stops. The run is kept at step 10: drop the file again and press Resume, or start again with metric_for_best_model left empty.',
      'f konnte bei Schritt 20 nicht ausgewertet werden: Die Datei wurde nicht gelesen. eval_f_loss davon ist metric_for_best_model: Ohne diesen Wert sind der beste Adapter und ein vorzeitiges Ende nicht zu entscheiden, also hält das Training an. Der Lauf ist bei Schritt 10 aufbewahrt: Lege die Datei noch einmal ab und drücke „Fortsetzen“, oder beginne neu und lass metric_for_best_model leer.',
    ],
    [
      'This run needs 900 MiB of GPU memory at least, training.gpu_memory_limit_gib allows 512 MiB. It is already planned as small as it can be: raise the limit, lower max_length or lora.r, or use a smaller model.',
      'Dieser Lauf braucht mindestens 900 MiB GPU-Speicher, training.gpu_memory_limit_gib erlaubt 512 MiB. Kleiner lässt er sich nicht planen: erhöhe die Grenze, senke max_length oder lora.r, oder nimm ein kleineres Modell.',
    ],
    [
      'The reward short on line 3 of rows.jsonl did not end within 2 s: look for an endless loop. The answer was "a b". Mend the function, or set its "on_error" to "skip".',
      'Die Funktion „short“ (reward) endete nicht in 2 s: Such nach einer Endlosschleife (Zeile 3 von rows.jsonl). Die Antwort war "a b". Bessere die Funktion aus, oder setze ihr „on_error“ auf „skip“.',
    ],
    [
      'adapter_config.json: bias is "all"; trained biases are not read. Use an adapter that PEFT or Finetab saved for a causal language model.',
      'adapter_config.json: bias ist "all"; trainierte Biaswerte werden nicht gelesen. Nimm einen Adapter, den PEFT oder Finetab für ein kausales Sprachmodell gespeichert hat.',
    ],
    [
      'This is no adapter: a.gguf: this GGUF is no LoRA adapter (general.type "adapter", adapter.type "lora").',
      'Das ist kein Adapter: a.gguf: Diese GGUF-Datei ist kein LoRA-Adapter (general.type „adapter“, adapter.type „lora“).',
    ],
    [
      'The evaluation worker ended before it was done: it ended without an error, as when memory runs out. Try again.',
      'Der Worker „evaluation“ endete, bevor er fertig war: Ende ohne Fehlermeldung, wie wenn der Arbeitsspeicher ausgeht. Versuch es noch einmal.',
    ],
  ])('are put together of parts: %s', (english, german) => {
    expect(translate(english)).toBe(german);
  });

  it('are translated within the sentence of the page that has them', () => {
    expect(de.run.deviceLost('The GPU was lost (unknown reason).', 20)).toBe(
      'Die GPU ging verloren (Grund unbekannt). Der Lauf geht von selbst ab Schritt 20 weiter.',
    );
    expect(de.run.trainerCrashed('it ended without an error, as when memory runs out')).toContain(
      'Ende ohne Fehlermeldung',
    );
    expect(de.run.evaluationFailed('f', 'the loss is not a number: the adapter has diverged')).toContain(
      'Der Verlust ist keine Zahl',
    );
  });

  it('name nothing in German that the English one has not', () => {
    const places = (text: string) => [...text.matchAll(/\{(\d)!?\}/g)].map(([, place]) => place);
    for (const [english, german] of tables.flat())
      for (const place of places(german)) expect(places(english), german).toContain(place);
  });
});

describe('the page', () => {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'src/page'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter(
      (path) =>
        /\.(svelte|ts)$/.test(path) &&
        !/language\/([a-z]{2}|(row|model)Messages\.[a-z]{2}|[a-z]{2}\/\w+\.[a-z]{2})\.ts$/.test(path),
    );

  it('has all its texts in the files of its languages', () => {
    expect(files.length).toBeGreaterThan(100);
    const found = files.flatMap((path) => {
      const allowed = ALLOWED[path] ?? [];
      return untranslatedTexts(path, readFileSync(join(root, path), 'utf8'))
        .filter((text) => !allowed.includes(text))
        .map((text) => `${path}: ${text}`);
    });
    expect(found).toEqual([]);
  });

  it('writes its numbers and dates as the locale has them', () => {
    // Numbers that stay numbers, and a table that is handed out in English.
    const allowed = /Number\(|speedMarkdown\.ts/;
    const found = files
      .filter((path) => !path.endsWith('language/numbers.ts'))
      .flatMap((path) =>
        readFileSync(join(root, path), 'utf8')
          .split('\n')
          .map((line) => `${path}: ${line.trim()}`),
      )
      .filter((line) => /\.to(Fixed|Precision|Exponential|Locale\w*)\(/.test(line) && !allowed.test(line));
    expect(found).toEqual([]);
  });

  it.each([
    ['<p>New here?</p>', 'New here?'],
    ['<button>Stop</button>', 'Stop'],
    ['<p>{count} rows</p>', 'rows'],
    ['<p>{busy ? "Reading" : t.a.b}</p>', 'Reading'],
    ['<p>{`${n} rows`}</p>', 'rows'],
    ['<p>{#if busy}wait{/if}</p>', 'wait'],
    ['{#each rows as row}<li>A {row}</li>{:else}none yet{/each}', 'none yet'],
    ['<input placeholder="Ask" />', 'Ask'],
    ['<input aria-label={`Row of ${name}`} />', 'Row of'],
    ['<img alt="A cat" />', 'A cat'],
    ['<Panel hint="Drop a file" />', 'Drop a file'],
    ['<script>const a = "two words";</script>', 'two words'],
    ['{@render field(t.a.b, "choose a column")}', 'choose a column'],
  ])('a text in markup is found: %s', (source, text) => {
    expect(untranslatedTexts('A.svelte', source)).toContain(text);
  });

  it.each([
    '<p>{t.data.heading} · {name}: {count} %</p>',
    '<h1>Finetab</h1>',
    '<code>two words</code>',
    '<button class="small primary" onclick={() => run("two words")}>{t.a.b}</button>',
    '<script>report(error, "reading two words");</script>',
    '<style>p { color: red; }</style>',
    '<dt>position_ids</dt><p>recipe.json</p>',
  ])('what is no text is left alone: %s', (source) => {
    expect(untranslatedTexts('A.svelte', source)).toEqual([]);
  });
});

describe('numbers', () => {
  it('are written as the locale has them', () => {
    expect([integer(1234567), bytes(1536), share(1, 3), exponential(1.5e-7, 1)]).toEqual([
      '1,234,567',
      '1.5 KiB',
      '33 %',
      '1.5e-7',
    ]);
    locale.set('de', ['de-DE']);
    expect([
      integer(1234567),
      bytes(1536),
      fixed(1234.5, 2),
      precise(0.51, 3),
      exponential(1.5e-7, 1),
    ]).toEqual(['1.234.567', '1,5 KiB', '1234,50', '0,510', '1,5e-7']);
    expect([bytes(1), bytes(5), compact(1_200_000)].map((text) => text.replace('\u00a0', ' '))).toEqual([
      '1 Byte',
      '5 Byte',
      '1,2 Mio.',
    ]);
    locale.set('en', ['fr', 'en-IN']);
    expect(integer(1234567)).toBe('12,34,567');
  });

  it('choose the form of a word by the plural rules of the language', () => {
    const rows = (count: number) => plural(count, { one: '# row', other: '# rows' });
    expect([0, 1, 2, 1000].map(rows)).toEqual(['0 rows', '1 row', '2 rows', '1,000 rows']);
    locale.set('pl', []);
    const polish = { one: '# plik', few: '# pliki', many: '# plików', other: '# pliku' };
    expect([1, 2, 5, 22].map((count) => plural(count, polish))).toEqual([
      '1 plik',
      '2 pliki',
      '5 plików',
      '22 pliki',
    ]);
  });

  it('join lists as the language does', () => {
    locale.set('de', []);
    expect(list(['a', 'b', 'c'])).toBe('a, b und c');
  });
});

describe('a language', () => {
  it('is the first of the browser that the page has', () => {
    expect(preferredLanguage(['fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(preferredLanguage(['en-GB', 'de'])).toBe('en');
    expect(preferredLanguage(['fr'])).toBe('en');
    expect(preferredLanguage([])).toBe('en');
  });

  it('is English where none was chosen', () => {
    expect(t.common.stop).toBe('Stop');
    expect(Object.keys(t)).toEqual(Object.keys(en));
  });

  it('isolates names that are written from right to left, and leaves others as they are', () => {
    expect(en.common.removeNamed('rows.jsonl')).toBe('Remove rows.jsonl');
    expect(en.common.removeNamed('שורות.jsonl')).toBe('Remove \u2068שורות.jsonl\u2069');
    expect(isolated('بيانات')).toBe('\u2068بيانات\u2069');
  });

  it('marks code and strong, and takes no mark from what is isolated or has no end', () => {
    expect(markedParts('a `b` and **c** d')).toEqual([
      { mark: null, text: 'a ' },
      { mark: 'code', text: 'b' },
      { mark: null, text: ' and ' },
      { mark: 'strong', text: 'c' },
      { mark: null, text: ' d' },
    ]);
    for (const text of ['a ` b', '\u2068`א`\u2069', '2 * 3 ** 4', '<b>no</b>'])
      expect(markedParts(text)).toEqual([{ mark: null, text }]);
  });
});
