/**
 * Messages about rows in German, by their English. The data path writes them in English, as commands and logs
 * show them too; the page looks each up here. {0} and so on are what a message names; a message that is part
 * of another is looked up by itself.
 */
import type { MessagePairs } from './translated.ts';

export const ROW_MESSAGES: MessagePairs = [
  // Files.
  [
    'the first line is {0}, a note for Excel, where the names of the columns must stand. Remove that line.',
    'Die erste Zeile ist {0}, ein Vermerk für Excel, wo die Namen der Spalten stehen müssen. Entferne sie.',
  ],
  [
    'the first row has no column names. Write them there, for example query,response.',
    'Die erste Zeile hat keine Spaltennamen. Schreib sie dorthin, zum Beispiel query,response.',
  ],
  [
    'several columns have no name. Name each in the first row.',
    'Mehrere Spalten haben keinen Namen. Benenne jede in der ersten Zeile.',
  ],
  ['two columns are called "{0}". Rename one of them.', 'Zwei Spalten heißen „{0}“. Benenne eine davon um.'],
  [
    'opens a quotation mark that is never closed: the rest of the file is in it. Close it, and double quotation marks inside a text.',
    'öffnet ein Anführungszeichen, das nie geschlossen wird: Der Rest der Datei steht darin. Schließ es, und verdopple Anführungszeichen innerhalb eines Textes.',
  ],
  [
    'has a quotation mark in the middle of a quoted text. Double it: "".',
    'hat ein Anführungszeichen mitten in einem Text in Anführungszeichen. Verdopple es: "".',
  ],
  [
    'has {0} {1} where the first row names {2}. Put texts with commas, semicolons or line ends in quotation marks.',
    'hat {0} Zellen, wo die erste Zeile {2} nennt. Setz Texte mit Kommas, Semikolons oder Zeilenenden in Anführungszeichen.',
  ],
  [
    'the file has objects that stand over several lines each, without a list around them, as jq prints them. Write one object a line (jq -c), or put [ and ] around them and commas between them.',
    'Die Datei hat Objekte über mehrere Zeilen ohne Liste darum, wie jq sie schreibt. Schreib ein Objekt je Zeile (jq -c), oder setz [ und ] darum und Kommas dazwischen.',
  ],
  [
    'begins with a byte order mark in the middle of the file, as files have it that were put one behind the other. Remove that mark.',
    'beginnt mit einem Byte Order Mark mitten in der Datei, wie bei aneinandergehängten Dateien. Entferne es.',
  ],
  [
    'is not JSON: it ends with a comma, as rows of a list do. Remove the comma, or put [ and ] around all rows.',
    'ist kein JSON: Sie endet mit einem Komma wie Zeilen einer Liste. Entferne es, oder setz [ und ] um alle Zeilen.',
  ],
  [
    'is not JSON: its texts are in single quotation marks, as Python prints a dict. Write it with json.dumps.',
    'ist kein JSON: Ihre Texte stehen in einfachen Anführungszeichen, wie Python ein dict ausgibt. Schreib sie mit json.dumps.',
  ],
  [
    'is not JSON. Write one {"query": "…", "response": "…"} object a line; check commas, quotation marks and brackets.',
    'ist kein JSON. Schreib ein Objekt {"query": "…", "response": "…"} je Zeile; prüf Kommas, Anführungszeichen und Klammern.',
  ],
  [
    'is not JSON: it has {0}, which Python writes but JSON does not know. Write null or a number, or remove the key.',
    'ist kein JSON: Sie hat {0}, was Python schreibt, JSON aber nicht kennt. Schreib null oder eine Zahl, oder entferne den Schlüssel.',
  ],
  [
    'the JSON array does not parse here. Check commas, quotation marks and the closing bracket, or write one object a line.',
    'Das JSON-Array lässt sich hier nicht lesen. Prüf Kommas, Anführungszeichen und die schließende Klammer, oder schreib ein Objekt je Zeile.',
  ],
  [
    'the file is an object with several lists. Keep one of them as an array, or write one object a line.',
    'Die Datei ist ein Objekt mit mehreren Listen. Behalt eine davon als Array, oder schreib ein Objekt je Zeile.',
  ],
  [
    'is nested more than {0} levels deep. Remove the nested lists and objects, or write the row again.',
    'ist mehr als {0} Ebenen tief verschachtelt. Entferne die verschachtelten Listen und Objekte, oder schreib die Zeile neu.',
  ],
  [
    'the Parquet file cannot be read: {0}. Download it again, or convert it to JSON lines.',
    'Die Parquet-Datei ist nicht zu lesen: {0}. Lade sie noch einmal herunter, oder wandle sie in JSON-Zeilen um.',
  ],
  [
    'is not a Parquet file, whatever its name says. Download it again.',
    'ist keine Parquet-Datei, was auch immer ihr Name sagt. Lade sie noch einmal herunter.',
  ],
  [
    'the file is UTF-16 or UTF-32 text. Save it as UTF-8.',
    'Die Datei ist Text in UTF-16 oder UTF-32. Speichere sie als UTF-8.',
  ],
  [
    'the file is compressed. Unpack it and drop what was inside.',
    'Die Datei ist gepackt. Entpack sie und leg den Inhalt ab.',
  ],
  [
    'the file is not text: it has zero bytes. Drop JSON lines, a JSON array, CSV or Parquet.',
    'Die Datei ist kein Text: Sie hat Nullbytes. Leg JSON-Zeilen, ein JSON-Array, CSV oder Parquet ab.',
  ],
  [
    'has bytes that are not UTF-8 text (a file saved as Windows-1252 or Latin-1 has them). Save the file as UTF-8.',
    'hat Bytes, die kein UTF-8-Text sind (so bei Dateien in Windows-1252 oder Latin-1). Speichere die Datei als UTF-8.',
  ],
  [
    'the file is empty. Write one {"query": "…", "response": "…"} object a line.',
    'Die Datei ist leer. Schreib ein Objekt {"query": "…", "response": "…"} je Zeile.',
  ],
  // Forms of rows.
  [
    'is in no known format: its columns are {0}. Choose which is the prompt and which the answer, or rename them to "query" and "response".',
    'hat kein bekanntes Format: Die Spalten sind {0}. Wähle, welche der Prompt und welche die Antwort ist, oder benenne sie in „query“ und „response“ um.',
  ],
  [
    'is a list of turns by itself. Write {"messages": […]} around it.',
    'ist nur eine Liste von Beiträgen. Schreib {"messages": […]} darum.',
  ],
  [
    'is not a JSON object. Write {"query": "…", "response": "…"}.',
    'ist kein JSON-Objekt. Schreib {"query": "…", "response": "…"}.',
  ],
  [
    'is in the form {0}, not {1} as most rows of this file are. Put such rows into a file of their own; training files are joined.',
    'hat die Form {0} und nicht {1} wie die meisten Zeilen dieser Datei. Schreib solche Zeilen in eine eigene Datei; Trainingsdateien werden verbunden.',
  ],
  [
    'has no "{0}"; its keys are {1}. Rename them to {2}, as in the other rows.',
    'hat kein „{0}“; ihre Schlüssel sind {1}. Benenne sie in {2} um, wie in den anderen Zeilen.',
  ],
  [
    'has an empty text: there is nothing to learn. Write one or remove the row.',
    'hat einen leeren Text: Es gibt nichts zu lernen. Schreib einen, oder entferne die Zeile.',
  ],
  [
    'has an empty "completion": there is nothing to learn. Write an answer or remove the row.',
    'hat eine leere „completion“: Es gibt nichts zu lernen. Schreib eine Antwort, oder entferne die Zeile.',
  ],
  [
    'has a "history" that is not a list of [question, answer]. Mend it or remove it.',
    'hat eine „history“, die keine Liste von [Frage, Antwort] ist. Bring sie in Ordnung, oder entferne sie.',
  ],
  [
    'has a "{0}" that is null. Write a list of turns.',
    'hat ein „{0}“, das null ist. Schreib eine Liste von Beiträgen.',
  ],
  [
    'has a "{0}" that is null. Write its text, or remove the row.',
    'hat ein „{0}“, das null ist. Schreib den Text, oder entferne die Zeile.',
  ],
  [
    'has a "{0}" that is not text. Write it in quotation marks.',
    'hat ein „{0}“, das kein Text ist. Schreib es in Anführungszeichen.',
  ],
  [
    'has an empty "{0}": there is nothing to learn. Write an answer or remove the row.',
    'hat ein leeres „{0}“: Es gibt nichts zu lernen. Schreib eine Antwort, oder entferne die Zeile.',
  ],
  // Conversations.
  [
    'has no turns: there is nothing to learn. Write a question and an answer or remove the row.',
    'hat keine Beiträge: Es gibt nichts zu lernen. Schreib eine Frage und eine Antwort, oder entferne die Zeile.',
  ],
  [
    'does not end with the assistant: the last question has no answer. Add it, or remove that turn.',
    'endet nicht mit dem Assistenten: Die letzte Frage hat keine Antwort. Ergänz sie, oder entferne den Beitrag.',
  ],
  [
    'has no answer to learn from: every one is marked as only read (weight 0, train false). Remove the row, or unmark an answer.',
    'hat keine Antwort zum Lernen: Jede ist als nur gelesen gekennzeichnet (weight 0, train false). Entferne die Zeile, oder nimm das Zeichen von einer Antwort.',
  ],
  [
    'has an empty answer: there is nothing to learn. Write one or remove the row.',
    'hat eine leere Antwort: Es gibt nichts zu lernen. Schreib eine, oder entferne die Zeile.',
  ],
  [
    'has a prompt that does not end with a question: there is nothing to answer. Write one or remove the row.',
    'hat einen Prompt, der nicht mit einer Frage endet: Es gibt nichts zu beantworten. Schreib eine, oder entferne die Zeile.',
  ],
  [
    'has an empty prompt. Write one or remove the row.',
    'hat einen leeren Prompt. Schreib einen, oder entferne die Zeile.',
  ],
  [
    'has half of a character (a lone surrogate such as \\ud83d), which is no text: it was cut in the middle of an emoji. Mend or remove it.',
    'hat ein halbes Zeichen (ein einzelnes Surrogat wie \\ud83d), das kein Text ist: Es wurde mitten in einem Emoji abgeschnitten. Ergänz oder entferne es.',
  ],
  ['has a "{0}" whose turn {1} {2}', 'hat ein „{0}“, dessen Beitrag {1} nicht stimmt: Er {2}'],
  [
    'has a "{0}" that is written as Python prints a list. Write it as JSON (json.dumps).',
    'hat ein „{0}“, wie Python eine Liste ausgibt. Schreib es als JSON (json.dumps).',
  ],
  ['has a "{0}" that is not a list of turns.', 'hat ein „{0}“, das keine Liste von Beiträgen ist.'],
  [
    'is not an object. Write {"role": "user", "content": "…"}.',
    'ist kein Objekt. Schreib {"role": "user", "content": "…"}.',
  ],
  [
    'is spoken by {0}: its role is missing. Write "system", "user", "assistant" or "tool".',
    'wird von {0} gesprochen: Die Rolle fehlt. Schreib „system“, „user“, „assistant“ oder „tool“.',
  ],
  [
    'is spoken by {0}; it must be "system", "user", "assistant" or "tool". Rename the role, or remove the row.',
    'wird von {0} gesprochen; es muss „system“, „user“, „assistant“ oder „tool“ sein. Benenne die Rolle um, oder entferne die Zeile.',
  ],
  [
    'has "{0}": pictures, sounds and films cannot be trained. Remove the row, or the key.',
    'hat „{0}“: Mit Bildern, Tönen und Filmen kann nicht trainiert werden. Entferne die Zeile oder den Schlüssel.',
  ],
  [
    'has "{0}", which says what of the turn is learned: parts of a turn cannot be left out. Remove the key, or mark the whole turn by "train".',
    'hat „{0}“, das sagt, was vom Beitrag gelernt wird: Teile eines Beitrags lassen sich nicht auslassen. Entferne den Schlüssel, oder kennzeichne den ganzen Beitrag mit „train“.',
  ],
  [
    'has calls of tools, but its role is "{0}". Give it the role "assistant".',
    'hat Aufrufe von Werkzeugen, aber die Rolle „{0}“. Gib die Rolle „assistant“.',
  ],
  [
    'has no "content"; its keys are {0}. Write its text as "content".',
    'hat kein „content“; die Schlüssel sind {0}. Schreib den Text als „content“.',
  ],
  [
    'has reasoning, but its role is "{0}". Only the assistant\'s turns can have it.',
    'hat Gedanken, aber die Rolle „{0}“. Nur Beiträge des Assistenten können welche haben.',
  ],
  [
    'has no content (it is null). Write its text, or remove the row.',
    'hat keinen Inhalt (er ist null). Schreib den Text, oder entferne die Zeile.',
  ],
  [
    'is not text. Write its content in quotation marks.',
    'ist kein Text. Schreib den Inhalt in Anführungszeichen.',
  ],
  [
    'is not text: it has a part of type {0}, and only parts of texts are read. Remove the row, or write its content as text.',
    'ist kein Text, sondern hat einen Teil der Art {0}; nur Teile aus Text werden gelesen. Entferne die Zeile, oder schreib den Inhalt als Text.',
  ],
  // Keys that change what is learned.
  [
    'has "{0}": {1}; only 0 and 1, true and false can be honoured. Write one of them.',
    'hat „{0}“: {1}; beachtet werden nur 0 und 1, true und false. Schreib eines davon.',
  ],
  [
    'has "{0}": {1}, but its role is "{2}": only the assistant\'s turns are learned. Remove the key.',
    'hat „{0}“: {1}, aber die Rolle „{2}“: Nur Beiträge des Assistenten werden gelernt. Entferne den Schlüssel.',
  ],
  [
    'has "{0}": {1}: it is marked as not to be learned from, and is left out. Remove the row, or the key.',
    'hat „{0}“: {1}: Aus ihr soll nicht gelernt werden, und sie wird ausgelassen. Entferne die Zeile oder den Schlüssel.',
  ],
  [
    'has "{0}": {1}; weights of rows cannot be honoured. Remove the key.',
    'hat „{0}“: {1}; Gewichte von Zeilen können nicht beachtet werden. Entferne den Schlüssel.',
  ],
  ['has both "{0}". Keep one of them.', 'hat beides, „{0}“. Behalt eines davon.'],
  [
    'has "{0}", which a {1} cannot have. Remove the key, or write the row as messages.',
    'hat „{0}“, was eine Zeile dieser Art ({1}) nicht haben kann. Entferne den Schlüssel, oder schreib die Zeile als messages.',
  ],
  [
    'has reasoning beside its turns and in them. Keep it in the turns.',
    'hat Gedanken neben den Beiträgen und in ihnen. Behalt die in den Beiträgen.',
  ],
  [
    'has a "{0}": {1}; only true and false (a wanted and an unwanted answer) can be honoured. Remove the key if it is something else.',
    'hat ein „{0}“: {1}; beachtet werden nur true und false (eine erwünschte und eine unerwünschte Antwort). Entferne den Schlüssel, wenn er etwas anderes bedeutet.',
  ],
  // Tools.
  [
    'is a call of a tool without text. Write its name and arguments.',
    'ist der Aufruf eines Werkzeugs ohne Text. Schreib Namen und Argumente.',
  ],
  [
    'has a call of a tool that cannot be read. Write {"name": "…", "arguments": {…}}.',
    'hat den Aufruf eines Werkzeugs, der nicht zu lesen ist. Schreib {"name": "…", "arguments": {…}}.',
  ],
  [
    'has a call of "{0}" whose arguments are no object. Write {"name": "…", "arguments": {…}}.',
    'hat einen Aufruf von „{0}“, dessen Argumente kein Objekt sind. Schreib {"name": "…", "arguments": {…}}.',
  ],
  [
    'has "tools" that are no list of functions. Write [{"type": "function", "function": {"name": "…", …}}].',
    'hat „tools“, die keine Liste von Funktionen sind. Schreib [{"type": "function", "function": {"name": "…", …}}].',
  ],
  [
    'has "tools" with a function that has no name. Write {"type": "function", "function": {"name": "…", …}}.',
    'hat „tools“ mit einer Funktion ohne Namen. Schreib {"type": "function", "function": {"name": "…", …}}.',
  ],
  // Preferences.
  [
    'has a "{0}" and a "{1}" answer but no "prompt". Write the question there.',
    'hat eine Antwort „{0}“ und eine „{1}“, aber keinen „prompt“. Schreib die Frage dorthin.',
  ],
  [
    'has a "{0}" and a "{1}" conversation that ask different questions: only the answers may differ. Give both the same prompt, or remove the row.',
    'hat Gespräche „{0}“ und „{1}“, die Verschiedenes fragen: Nur die Antworten dürfen sich unterscheiden. Gib beiden denselben Prompt, oder entferne die Zeile.',
  ],
  [
    'has the same "{0}" and "{1}" answer: there is nothing to prefer. Remove the row.',
    'hat dieselbe Antwort als „{0}“ und „{1}“: Es gibt nichts vorzuziehen. Entferne die Zeile.',
  ],
  [
    'has an empty "{0}" answer. Write one or remove the row.',
    'hat eine leere Antwort „{0}“. Schreib eine, oder entferne die Zeile.',
  ],
  [
    'is a preference row, which this method cannot learn from: it samples answers to prompts. Use a preference method such as dpo or kto.',
    'ist eine Zeile mit Vorlieben, aus der diese Methode nicht lernen kann: Sie sampelt Antworten auf Prompts. Nimm eine Methode wie dpo oder kto.',
  ],
  [
    'is a raw text, which asks nothing: this method samples answers to prompts. Write a "prompt", or use the method sft.',
    'ist roher Text, der nichts fragt: Diese Methode sampelt Antworten auf Prompts. Schreib einen „prompt“, oder nimm die Methode sft.',
  ],
  [
    'has no question before its answer: there is nothing to sample an answer to. Remove the row.',
    'hat keine Frage vor der Antwort: Es gibt nichts, worauf eine Antwort gesampelt werden könnte. Entferne die Zeile.',
  ],
  [
    'leaves no room for an answer: its prompt has {0} tokens, max_completion_length is {1} and max_length {2}. Raise max_length, or shorten the prompt.',
    'lässt keinen Platz für eine Antwort: Der Prompt hat {0} Tokens, max_completion_length ist {1} und max_length {2}. Erhöh max_length, oder kürz den Prompt.',
  ],
  [
    'is a preference row (chosen and rejected), which this method cannot learn from. Use a preference method such as dpo, or write the wanted answer as "response".',
    'ist eine Zeile mit Vorlieben (chosen und rejected), aus der diese Methode nicht lernen kann. Nimm eine Methode wie dpo, oder schreib die erwünschte Antwort als „response“.',
  ],
  [
    'has a "label", which this method cannot learn from: an unwanted answer would be copied. Use the method kto, or remove the key.',
    'hat ein „label“, aus dem diese Methode nicht lernen kann: Eine unerwünschte Antwort würde nachgeahmt. Nimm die Methode kto, oder entferne den Schlüssel.',
  ],
  [
    'has a prompt and no answer. Write one, or use the method grpo, which samples its own; a validation file needs answers to compare with.',
    'hat einen Prompt und keine Antwort. Schreib eine, oder nimm die Methode grpo, die eigene sampelt; eine Validierungsdatei braucht Antworten zum Vergleich.',
  ],
  [
    "cannot be masked: this model's chat template renders its answers otherwise once more turns follow. Put all but the last answer into the prompt.",
    'lässt sich nicht maskieren: Die Chat-Vorlage dieses Modells schreibt Antworten anders, sobald weitere Beiträge folgen. Setz alle Antworten bis auf die letzte in den Prompt.',
  ],
  [
    'has a "label", which this method cannot learn from: it needs a "chosen" and a "rejected" answer. Use the method kto.',
    'hat ein „label“, aus dem diese Methode nicht lernen kann: Sie braucht eine Antwort „chosen“ und eine „rejected“. Nimm die Methode kto.',
  ],
  [
    'has no "chosen" and "rejected" answer, which this method learns from. Write both, or use the method sft.',
    'hat keine Antworten „chosen“ und „rejected“, aus denen diese Methode lernt. Schreib beide, oder nimm die Methode sft.',
  ],
  [
    'has no "label" (true or false), which this method learns from. Write it, or use the method sft.',
    'hat kein „label“ (true oder false), aus dem diese Methode lernt. Schreib es, oder nimm die Methode sft.',
  ],
  [
    'has a "{0}" answer that cannot be used: it {1}',
    'hat eine Antwort „{0}“, die nicht zu gebrauchen ist: Sie {1}',
  ],
  // Template, mask and limit.
  [
    'has the token {0}, whose id {1} the model does not have: config.json says vocab_size {2}. Take it out of the text, or use the tokenizer that belongs to this model.',
    'hat das Token {0}, dessen Id {1} das Modell nicht hat: config.json sagt vocab_size {2}. Nimm es aus dem Text, oder nimm den Tokenizer, der zu diesem Modell gehört.',
  ],
  [
    'has "{0}", which this model\'s chat template does not print. Use a model that is made for tools, or remove the row.',
    'hat „{0}“, was die Chat-Vorlage dieses Modells nicht schreibt. Nimm ein Modell, das für Werkzeuge gemacht ist, oder entferne die Zeile.',
  ],
  [
    'has results of tools (role "tool"), which this model\'s chat template does not print. Use a model that is made for tools, or remove the row.',
    'hat Ergebnisse von Werkzeugen (Rolle „tool“), die die Chat-Vorlage dieses Modells nicht schreibt. Nimm ein Modell, das für Werkzeuge gemacht ist, oder entferne die Zeile.',
  ],
  [
    "has reasoning (reasoning_content, thinking or reasoning), which this model's chat template does not print. Remove the key, or write it into the answer.",
    'hat Gedanken (reasoning_content, thinking oder reasoning), die die Chat-Vorlage dieses Modells nicht schreibt. Entferne den Schlüssel, oder schreib sie in die Antwort.',
  ],
  [
    "has reasoning (reasoning_content) that this model's chat template leaves out. Remove the key, or write it into the answer.",
    'hat Gedanken (reasoning_content), die die Chat-Vorlage dieses Modells auslässt. Entferne den Schlüssel, oder schreib sie in die Antwort.',
  ],
  [
    'begins with the assistant: this model\'s chat template cannot write what stands before its first turn ({0}). Begin with a question, mark that turn as only read ("train": false), or remove it.',
    'beginnt mit dem Assistenten: Die Chat-Vorlage dieses Modells kann nicht schreiben, was vor dem ersten Beitrag steht ({0}). Beginn mit einer Frage, kennzeichne den Beitrag als nur gelesen ("train": false), oder entferne ihn.',
  ],
  [
    "is refused by the model's chat template: {0}. Change the row or the system prompt.",
    'wird von der Chat-Vorlage des Modells abgelehnt: {0}. Ändere die Zeile oder den System-Prompt.',
  ],
  [
    "cannot be masked: with this model's chat template the tokens of a prompt are not how the tokens of prompt and answer begin, not even for each answer by itself. Remove the row, or use another model.",
    'lässt sich nicht maskieren: Bei der Chat-Vorlage dieses Modells beginnen die Tokens von Prompt und Antwort nicht mit denen des Prompts, auch nicht bei jeder Antwort für sich. Entferne die Zeile, oder nimm ein anderes Modell.',
  ],
  [
    'has no token to learn from after the template. Check the answer.',
    'hat nach der Vorlage kein Token zum Lernen. Prüf die Antwort.',
  ],
  [
    'loses its whole answer: its prompt alone has {0} tokens and max_length is {1}. Raise max_length or shorten the prompt.',
    'verliert ihre ganze Antwort: Der Prompt allein hat {0} Tokens, und max_length ist {1}. Erhöh max_length, oder kürz den Prompt.',
  ],
  [
    'has a text of a single token: there is nothing to predict. Remove the row.',
    'hat einen Text aus einem einzigen Token: Es gibt nichts vorherzusagen. Entferne die Zeile.',
  ],
  // Notes on a file.
  [
    "{0} became {1} documents, one an answer: this model's chat template renders an answer otherwise once more turns follow.",
    '{0} wurden zu {1} Dokumenten, eines je Antwort: Die Chat-Vorlage dieses Modells schreibt eine Antwort anders, sobald weitere Beiträge folgen.',
  ],
  [
    '{0} longer than max_length became {1} documents.',
    '{0}, länger als max_length, wurden zu {1} Dokumenten.',
  ],
  [
    "White space at the beginning of {0} was taken off: its tokens would merge with the prompt's.",
    'Leerraum am Anfang wurde weggenommen (bei {0}): Seine Tokens verschmölzen mit denen des Prompts.',
  ],
  ['{0} conversation', '{0} Gespräch'],
  ['{0} conversations', '{0} Gespräche'],
  ['{0} text', '{0} Text'],
  ['{0} texts', '{0} Texte'],
  ['{0} answer', '{0} Antwort'],
  ['{0} answers', '{0} Antworten'],
  ['{0} row is left out by the recipe (left_out_rows).', '{0} Zeile lässt das Rezept aus (left_out_rows).'],
  [
    '{0} rows are left out by the recipe (left_out_rows).',
    '{0} Zeilen lässt das Rezept aus (left_out_rows).',
  ],
  [
    '{0} are joined: they are read as one file, in this order.',
    'Verbunden, also in dieser Reihenfolge als eine Datei gelesen: {0}.',
  ],
  ['Keys of rows that are not read: {0}.', 'Schlüssel von Zeilen, die nicht gelesen werden: {0}.'],
  ['Keys of turns that are not read: {0}.', 'Schlüssel von Beiträgen, die nicht gelesen werden: {0}.'],
  [
    "This model's chat template prints the system prompt with the last question only: it is put before the first question instead, with an empty line between, so that a conversation's beginning stays what it is.",
    'Die Chat-Vorlage dieses Modells schreibt den System-Prompt nur bei der letzten Frage: Er wird stattdessen vor die erste gesetzt, mit einer Leerzeile dazwischen, damit der Anfang eines Gesprächs bleibt, was er ist.',
  ],
  [
    "This model's chat template has no system role: the system prompt is put before the first question, with an empty line between.",
    'Die Chat-Vorlage dieses Modells hat keine Systemrolle: Der System-Prompt wird vor die erste Frage gesetzt, mit einer Leerzeile dazwischen.',
  ],
  [
    "Thinking is switched off by the chat template's own switch (enable_thinking: false), in training as in answers; it is left on where a row's own answer thinks.",
    'Das Denken ist durch den eigenen Schalter der Chat-Vorlage aus (enable_thinking: false), beim Training wie bei Antworten; an bleibt es, wo die Antwort einer Zeile selbst denkt.',
  ],
  [
    '{0} of {1} answers have no letter a to z and no digit, which are all that ROUGE counts: it is 0 for them whatever is answered. chrF and exact match read every script.',
    '{0} von {1} Antworten haben keinen Buchstaben von a bis z und keine Ziffer, und nur die zählt ROUGE: Für sie ist es 0, was auch geantwortet wird. chrF und exact match lesen jede Schrift.',
  ],
  // Keys that are named one after the other.
  ['"{0}" and "{1}"', '"{0}" und "{1}"'],
  // Findings.
  ['{0} tokens', '{0} Tokens'],
  ['{0} of {1} tokens are cut off', '{0} von {1} Tokens sind abgeschnitten'],
  ['nothing is left without markup and punctuation', 'ohne Auszeichnung und Satzzeichen bleibt nichts übrig'],
  ['raw text', 'roher Text'],
  ['preference row', 'Vorlieben'],
  ['columns as chosen', 'Spalten wie gewählt'],
  ['Japanese', 'Japanisch'],
  ['Korean', 'Koreanisch'],
  ['Chinese', 'Chinesisch'],
  ['Cyrillic script', 'kyrillische Schrift'],
  ['Arabic script', 'arabische Schrift'],
  ['Greek', 'Griechisch'],
  ['Hebrew', 'Hebräisch'],
  ['Thai', 'Thailändisch'],
  ['Devanagari script', 'Devanagari'],
  ['English', 'Englisch'],
  ['German', 'Deutsch'],
  ['French', 'Französisch'],
  ['Spanish', 'Spanisch'],
  ['Portuguese', 'Portugiesisch'],
  ['Italian', 'Italienisch'],
  ['Dutch', 'Niederländisch'],
];
