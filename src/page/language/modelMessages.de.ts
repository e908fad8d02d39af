/**
 * Messages about models, their files, the Hub and what this browser keeps, in German, by their English. As in
 * rowMessages.de.ts: {0} and so on are what a message names; a message within another is looked up by itself.
 */
import type { MessagePairs } from './translated.ts';

export const MODEL_MESSAGES: MessagePairs = [
  // Which files there are.
  [
    'There is no config.json among these files. Drop the whole folder of a model from the Hugging Face hub, or a GGUF.',
    'Unter diesen Dateien ist keine config.json. Lege den ganzen Ordner eines Modells vom Hugging Face Hub ab, oder eine GGUF-Datei.',
  ],
  [
    'There is no model.safetensors (nor model.safetensors.index.json) among these files. Drop the whole folder of the model.',
    'Unter diesen Dateien ist keine model.safetensors (und keine model.safetensors.index.json). Lege den ganzen Ordner des Modells ab.',
  ],
  [
    "{0} is a PyTorch pickle: reading it would run the code inside it, so Finetab does not. Use the model's safetensors files, or a GGUF of it.",
    '{0} ist ein Pickle von PyTorch: Es zu lesen würde den Code darin ausführen, darum tut Finetab es nicht. Nimm die safetensors-Dateien des Modells oder eine GGUF-Datei davon.',
  ],
  [
    "{0} is of another framework, which Finetab does not read. Use the model's safetensors files, or a GGUF of it.",
    '{0} gehört zu einem anderen Framework, das Finetab nicht liest. Nimm die safetensors-Dateien des Modells oder eine GGUF-Datei davon.',
  ],
  [
    "{0} is {1} the model's safetensors files, or a GGUF of it.",
    '{0} ist {1} die safetensors-Dateien des Modells oder eine GGUF-Datei davon.',
  ],
  [
    '{0}: tensor {1} is in another file too. Drop the files of one model only.',
    '{0}: Der Tensor {1} ist auch in einer anderen Datei. Lege nur die Dateien eines Modells ab.',
  ],
  ['{0} is not a JSON object. Download it again.', '{0} ist kein JSON-Objekt. Lade die Datei neu herunter.'],
  ['{0} is not JSON. Download it again.', '{0} ist kein JSON. Lade die Datei neu herunter.'],
  [
    '{0} has no "weight_map" from tensors to files. Download it again.',
    '{0} hat keine „weight_map“ von Tensoren zu Dateien. Lade die Datei neu herunter.',
  ],
  [
    '{0} is missing: {1} names it as a part of the model. Drop it together with the others.',
    '{0} fehlt: {1} nennt es als Teil des Modells. Lege es zusammen mit den anderen ab.',
  ],
  [
    '{0} is missing. Drop the whole folder of the model, its tokenizer files included.',
    '{0} fehlt. Lege den ganzen Ordner des Modells ab, samt den Dateien des Tokenizers.',
  ],
  [
    '{0} changed or became unreadable while it was read. Drop it again.',
    '{0} wurde geändert oder unlesbar, während es gelesen wurde. Lege es noch einmal ab.',
  ],
  // Safetensors.
  [
    '{0} is a Git LFS pointer, not the file itself. Run "git lfs pull" in the folder, or download the file from the Hub.',
    '{0} ist ein Zeiger von Git LFS, nicht die Datei selbst. Führe im Ordner „git lfs pull“ aus, oder lade die Datei vom Hub herunter.',
  ],
  [
    'the file has {0} bytes, too few for a safetensors header.',
    'Die Datei hat {0} Byte, zu wenig für einen safetensors-Kopf.',
  ],
  [
    'this is not a safetensors file (its header would be {0} bytes long).',
    'Das ist keine safetensors-Datei (ihr Kopf wäre {0} Byte lang).',
  ],
  [
    'the file is cut off inside its header: {0} bytes are missing.',
    'Die Datei ist in ihrem Kopf abgeschnitten: Es fehlen {0} Byte.',
  ],
  ['its header is not JSON.', 'Ihr Kopf ist kein JSON.'],
  ['its header is not a JSON object.', 'Ihr Kopf ist kein JSON-Objekt.'],
  ['tensor {0} has the unknown dtype {1}.', 'Der Tensor {0} hat den unbekannten Typ {1}.'],
  ['tensor {0} has no valid shape ({1}).', 'Der Tensor {0} hat keine gültige Form ({1}).'],
  ['tensor {0} has no valid offsets ({1}).', 'Der Tensor {0} hat keine gültigen Stellen ({1}).'],
  [
    'the header gives tensor {0} {1} bytes, but its shape [{2}] in {3} needs {4}.',
    'Der Kopf gibt dem Tensor {0} {1} Byte, seine Form [{2}] in {3} braucht aber {4}.',
  ],
  [
    "the header's offsets {0} before tensor {1}.",
    'Die Stellen im Kopf passen vor dem Tensor {1} nicht ({0}).',
  ],
  [
    'the file is cut off: {0} bytes are missing, from tensor {1} on.',
    'Die Datei ist abgeschnitten: Es fehlen {0} Byte, vom Tensor {1} an.',
  ],
  [
    '{0} bytes follow the last tensor, which the header does not mention.',
    'Nach dem letzten Tensor kommen {0} Byte, die der Kopf nicht nennt.',
  ],
  [
    '{0} holds no floating-point weights; Finetab reads {1}.',
    '{0} enthält keine Gleitkommagewichte; Finetab liest {1}.',
  ],
  // GGUF.
  [
    '{0}: the file is cut off inside its header. Download the file again.',
    '{0}: Die Datei ist in ihrem Kopf abgeschnitten. Lade sie neu herunter.',
  ],
  [
    '{0}: its header is longer than {1} bytes. Download the file again.',
    '{0}: Ihr Kopf ist länger als {1} Byte. Lade die Datei neu herunter.',
  ],
  [
    'this is not a GGUF file (it does not begin with "GGUF").',
    'Das ist keine GGUF-Datei (sie beginnt nicht mit „GGUF“).',
  ],
  [
    '{0} is a big-endian GGUF, which Finetab does not read. Convert it again.',
    '{0} ist ein Big-Endian-GGUF, das Finetab nicht liest. Wandle es neu um.',
  ],
  [
    '{0} is GGUF version {1}; Finetab reads 2 and 3. Convert the model again.',
    '{0} ist GGUF in Version {1}; Finetab liest 2 und 3. Wandle das Modell neu um.',
  ],
  ['the metadata key {0} is there twice.', 'Den Metadatenschlüssel {0} gibt es zweimal.'],
  [
    'general.alignment is {0}, but must be a multiple of 8.',
    'general.alignment ist {0}, muss aber ein Vielfaches von 8 sein.',
  ],
  [
    'tensor {0} has {1} dimensions, which cannot be.',
    'Der Tensor {0} hat {1} Dimensionen, was nicht sein kann.',
  ],
  [
    '{0}: tensor {1} is quantised as {2}, which Finetab does not read. Choose a file of the model in another quantisation ({3} are read).',
    '{0}: Der Tensor {1} ist als {2} quantisiert, was Finetab nicht liest. Nimm eine Datei des Modells in einer anderen Quantisierung (gelesen werden {3}).',
  ],
  [
    'tensor {0} has the shape [{1}], which cannot be.',
    'Der Tensor {0} hat die Form [{1}], was nicht sein kann.',
  ],
  [
    'tensor {0} has rows of {1}, which are no whole {2} blocks.',
    'Der Tensor {0} hat Zeilen von {1}, das sind keine ganzen {2}-Blöcke.',
  ],
  ['tensor {0} is there twice.', 'Den Tensor {0} gibt es zweimal.'],
  [
    'tensor {0} lies at {1}, which is no multiple of {2}.',
    'Der Tensor {0} liegt bei {1}, das ist kein Vielfaches von {2}.',
  ],
  [
    'general.architecture is "{0}", which Finetab does not read from GGUF. Read: {1}. Use the model\'s safetensors files.',
    'general.architecture ist „{0}“, was Finetab nicht aus GGUF liest. Gelesen werden: {1}. Nimm die safetensors-Dateien des Modells.',
  ],
  [
    'it has no tensor token_embd.weight. Download the file again.',
    'Sie hat keinen Tensor token_embd.weight. Lade die Datei neu herunter.',
  ],
  ['There is no GGUF file here.', 'Hier ist keine GGUF-Datei.'],
  [
    'These are {0} GGUF files that are no parts of one model ({1}). Drop one of them.',
    'Das sind {0} GGUF-Dateien, die keine Teile eines Modells sind ({1}). Lege eine davon ab.',
  ],
  [
    '{0} is one of {1} parts of a model; missing: part {2}. Drop all parts together.',
    '{0} ist einer von {1} Teilen eines Modells; es fehlt: Teil {2}. Lege alle Teile zusammen ab.',
  ],
  [
    '{0} is one of {1} parts, but there are {2}. Drop one model only.',
    '{0} ist einer von {1} Teilen, es sind aber {2} da. Lege nur ein Modell ab.',
  ],
  [
    '{0}: its parts hold {1} tensors in place of {2}. Download them again.',
    '{0}: Die Teile enthalten {1} Tensoren statt {2}. Lade sie neu herunter.',
  ],
  [
    'tokenizer.ggml.pre is "{0}": how this tokenizer splits texts is not known. Known: {1}. Use the model\'s safetensors files, or a file converted by a newer llama.cpp.',
    'tokenizer.ggml.pre ist „{0}“: Wie dieser Tokenizer Texte teilt, ist nicht bekannt. Bekannt: {1}. Nimm die safetensors-Dateien des Modells, oder eine Datei aus einem neueren llama.cpp.',
  ],
  [
    'tokenizer.ggml.model is "{0}", which Finetab does not read ("gpt2", "llama" and "gemma4" are read). Use the model\'s own tokenizer.json with its safetensors files.',
    'tokenizer.ggml.model ist „{0}“, was Finetab nicht liest (gelesen werden „gpt2“, „llama“ und „gemma4“). Nimm die tokenizer.json des Modells mit seinen safetensors-Dateien.',
  ],
  [
    '{0} has {1} entries for {2} tokens. Convert the model again.',
    '{0} hat {1} Einträge für {2} Tokens. Wandle das Modell neu um.',
  ],
  [
    '{0} is {1}, but there are {2} tokens. Convert the model again.',
    '{0} ist {1}, es gibt aber {2} Tokens. Wandle das Modell neu um.',
  ],
  [
    'tokenizer.ggml.merges has {0}, which is no pair. Convert again.',
    'tokenizer.ggml.merges hat {0}, das kein Paar ist. Wandle das Modell neu um.',
  ],
  [
    'tokenizer.ggml.scores has {0} entries for {1} tokens. Convert again.',
    'tokenizer.ggml.scores hat {0} Einträge für {1} Tokens. Wandle das Modell neu um.',
  ],
  // What the files say.
  [
    'config.json has no "model_type". Drop the folder of a model from the Hugging Face hub, config.json included.',
    'config.json hat keinen „model_type“. Lege den Ordner eines Modells vom Hugging Face Hub ab, samt config.json.',
  ],
  [
    "config.json: this checkpoint is quantised already ({0}). Use the original 16-bit checkpoint, which Finetab quantises itself, or one in bitsandbytes' 4-bit NF4.",
    'config.json: Dieser Checkpoint ist schon quantisiert ({0}). Nimm den ursprünglichen mit 16 Bit, den Finetab selbst quantisiert, oder einen in NF4 (4 Bit) von bitsandbytes.',
  ],
  [
    'config.json (model_type {0}): "{1}" says that this is a mixture of experts, which is not supported. Choose a dense model.',
    'config.json (model_type {0}): Nach „{1}“ ist das eine Mischung von Experten, was nicht unterstützt wird. Nimm ein dichtes Modell.',
  ],
  [
    'config.json: model_type {0} is not supported. {1}. Supported: {2}.',
    'config.json: model_type {0} wird nicht unterstützt. {1}. Unterstützt: {2}.',
  ],
  ['Choose a model of a supported type', 'Nimm ein Modell eines unterstützten Typs'],
  [
    'It is a multimodal model: choose a text-only checkpoint{0}',
    'Es ist ein multimodales Modell: Nimm einen Checkpoint nur für Text{0}',
  ],
  [
    'config.json (model_type {0}): {1}. Choose a model that Finetab supports.',
    'config.json (model_type {0}): {1}. Nimm ein Modell, das Finetab unterstützt.',
  ],
  [
    'config.json asks for {0} layers ("num_hidden_layers"), but the files have {1}. Drop all the model\'s files, or use the config.json that belongs to them.',
    'config.json verlangt {0} Schichten („num_hidden_layers“), die Dateien haben aber {1}. Lege alle Dateien des Modells ab, oder nimm die config.json, die dazugehört.',
  ],
  [
    'The recipe asks for quantization "gguf", which keeps the blocks of a GGUF file, but these are other files. Drop a .gguf, or set quantization to "nf4" or "none".',
    'Das Rezept verlangt quantization „gguf“, was die Blöcke einer GGUF-Datei behält, das sind aber andere Dateien. Lege eine .gguf ab, oder setze quantization auf „nf4“ oder „none“.',
  ],
  [
    "The model's files have no tensor {0} ([{1}]), which config.json asks for. Drop all its safetensors files, or check that config.json belongs to them.",
    'Den Dateien des Modells fehlt der Tensor {0} ([{1}]), den config.json verlangt. Lege alle seine safetensors-Dateien ab, oder prüf, ob config.json dazugehört.',
  ],
  [
    '{0}: tensor {1} is [{2}], but config.json asks for [{3}]. Use the config.json that belongs to these weights.',
    '{0}: Der Tensor {1} ist [{2}], config.json verlangt aber [{3}]. Nimm die config.json, die zu diesen Gewichten gehört.',
  ],
  [
    '{0}: tensor {1} is {2}; Finetab reads {3}. Use the original checkpoint, not a quantised one.',
    '{0}: Der Tensor {1} ist {2}; Finetab liest {3}. Nimm den ursprünglichen Checkpoint, keinen quantisierten.',
  ],
  [
    '{0}: tensor {1} holds {2} at element {3}. The checkpoint is damaged or was saved from a diverged run: use another copy.',
    '{0}: Der Tensor {1} enthält {2} am Element {3}. Der Checkpoint ist beschädigt oder stammt aus einem entgleisten Lauf: Nimm eine andere Kopie.',
  ],
  // Tokenizer and template.
  [
    'The tokenizer is there only as SentencePiece (tokenizer.model). Make a tokenizer.json with transformers (AutoTokenizer.from_pretrained(…).save_pretrained(…)) and drop it with the others.',
    'Den Tokenizer gibt es nur als SentencePiece (tokenizer.model). Mach mit transformers eine tokenizer.json (AutoTokenizer.from_pretrained(…).save_pretrained(…)), und lege sie mit den anderen ab.',
  ],
  [
    'tokenizer.json gives a token of the chat template the id {0}, but config.json says that the model has {1} tokens. Use the tokenizer that belongs to these weights.',
    'tokenizer.json gibt einem Token der Chatvorlage die Nummer {0}, nach config.json hat das Modell aber {1} Tokens. Nimm den Tokenizer, der zu diesen Gewichten gehört.',
  ],
  [
    "tokenizer_config.json gives the token {0} the id {1}, but Python would give it {2}: tokenizer.json lacks it. Use the model's own tokenizer files.",
    'tokenizer_config.json gibt dem Token {0} die Nummer {1}, Python gäbe ihm {2}: In tokenizer.json fehlt es. Nimm die Tokenizer-Dateien des Modells.',
  ],
  [
    'The tokenizer\'s chat templates ({0}) have none named "default". Put the one to use into a file chat_template.jinja beside the model\'s files and drop them again.',
    'Unter den Chatvorlagen des Tokenizers ({0}) heißt keine „default“. Leg die richtige in eine Datei chat_template.jinja neben die Dateien des Modells, und lege sie noch einmal ab.',
  ],
  [
    "The tokenizer has no chat template (chat_template in tokenizer_config.json, or a file chat_template.jinja). Use an instruct or chat model, or put the template to use into a file chat_template.jinja beside the model's files and drop them again.",
    'Der Tokenizer hat keine Chatvorlage (chat_template in tokenizer_config.json oder eine Datei chat_template.jinja). Nimm ein Instruct- oder Chatmodell, oder leg die Vorlage in eine Datei chat_template.jinja neben die Dateien des Modells, und lege sie noch einmal ab.',
  ],
  [
    "The tokenizer's chat template cannot be read: {0}. Use a model whose template Finetab understands.",
    'Die Chatvorlage des Tokenizers ist nicht zu lesen: {0}. Nimm ein Modell, dessen Vorlage Finetab versteht.',
  ],
  // The Hub.
  [
    'An access token of the Hub begins with "hf_". Make one under Settings → Access Tokens on huggingface.co.',
    'Ein Zugriffstoken des Hubs beginnt mit „hf_“. Mach eines auf huggingface.co unter Settings → Access Tokens.',
  ],
  [
    'The Hub does not give {0} without permission: it is gated or private, or there is no such model. Accept its licence on its page and enter an access token, or download it and drop the folder.',
    'Der Hub gibt {0} nicht ohne Erlaubnis: Es ist geschützt oder privat, oder es gibt kein solches Modell. Nimm auf seiner Seite die Lizenz an und gib ein Zugriffstoken ein, oder lade es herunter und lege den Ordner ab.',
  ],
  [
    'There is no model {0} on the Hub. Check the spelling: owner/name, or owner/name@revision where the revision exists.',
    'Auf dem Hub gibt es kein Modell {0}. Prüf die Schreibweise: Besitzer/Name, oder Besitzer/Name@Revision, wo es die Revision gibt.',
  ],
  [
    'The Hub ({0}) answers too many requests at the moment (status 429). Wait some minutes and start the download again: it goes on where it stopped.',
    'Der Hub ({0}) hat gerade zu viele Anfragen (Status 429). Warte ein paar Minuten und starte den Download noch einmal: Er geht weiter, wo er stehen blieb.',
  ],
  [
    'The Hub ({0}) answered with status {1} for {2}. Try again later, or download the model and drop its folder.',
    'Der Hub ({0}) hat für {2} mit Status {1} geantwortet. Versuch es später noch einmal, oder lade das Modell herunter und lege seinen Ordner ab.',
  ],
  [
    "{0} does not say which commit of {1} is current: its answer is not of the Hub's form. Try again later, or download the model and drop its folder.",
    '{0} sagt nicht, welcher Commit von {1} der aktuelle ist: Die Antwort hat nicht die Form des Hubs. Versuch es später noch einmal, oder lade das Modell herunter und lege seinen Ordner ab.',
  ],
  [
    "{0} lists the files of {1} in a form that is not the Hub's. Try again later, or download the model and drop its folder.",
    '{0} nennt die Dateien von {1} in einer Form, die nicht die des Hubs ist. Versuch es später noch einmal, oder lade das Modell herunter und lege seinen Ordner ab.',
  ],
  [
    '{0} answered with {1} where the Hub sends JSON. If this network asks for a sign-in (a hotel, a train), open any page, sign in and try again.',
    '{0} hat mit {1} geantwortet, wo der Hub JSON schickt. Wenn dieses Netz eine Anmeldung verlangt (Hotel, Zug), öffne irgendeine Seite, melde dich an und versuch es noch einmal.',
  ],
  [
    "The Hub's listing gives {0} no SHA-256, so what is downloaded could not be verified. Try again later, or download the model and drop its folder.",
    'Der Hub nennt für {0} kein SHA-256, also ließe sich das Heruntergeladene nicht prüfen. Versuch es später noch einmal, oder lade das Modell herunter und lege seinen Ordner ab.',
  ],
  [
    '{0} is not the file that the Hub lists: its hash is another. It was changed on the way, or while it was downloaded. Download the model again, from another network if this happens twice.',
    '{0} ist nicht die Datei, die der Hub nennt: Ihr Hash ist ein anderer. Sie wurde unterwegs oder während des Downloads geändert. Lade das Modell noch einmal herunter, beim zweiten Mal aus einem anderen Netz.',
  ],
  [
    '{0} has {1} bytes on the Hub: that is no file of a model that Finetab reads.',
    '{0} hat auf dem Hub {1} Byte: Das ist keine Datei eines Modells, das Finetab liest.',
  ],
  [
    '{0} came with {1} of the {2} bytes that the Hub lists. Start the download again.',
    'Von {0} kamen {1} der {2} Byte, die der Hub nennt. Starte den Download noch einmal.',
  ],
  [
    'The connection to the Hub broke: {0}. Check the network and start the download again: it goes on where it stopped.',
    'Die Verbindung zum Hub brach ab: {0}. Prüf das Netz und starte den Download noch einmal: Er geht weiter, wo er stehen blieb.',
  ],
  [
    'The connection to the Hub broke while {0} was read: {1}. Check the network and start the download again: it goes on where it stopped.',
    'Die Verbindung zum Hub brach ab, während {0} gelesen wurde: {1}. Prüf das Netz und starte den Download noch einmal: Er geht weiter, wo er stehen blieb.',
  ],
  ['{0} did not send anything for {1} seconds', '{0} hat {1} Sekunden lang nichts geschickt'],
  ['{0} could not be reached, or broke off', '{0} war nicht zu erreichen oder brach ab'],
  [
    '{0} is not the file that the Hub lists: its SHA-256 is {1}…, the listing says {2}…. It was changed on the way, or while it was downloaded. What was stored of the model has been removed: download it again, from another network if this happens twice.',
    '{0} ist nicht die Datei, die der Hub nennt: Ihr SHA-256 ist {1}…, der Hub nennt {2}…. Sie wurde unterwegs oder während des Downloads geändert. Was vom Modell gespeichert war, ist entfernt: Lade es noch einmal herunter, beim zweiten Mal aus einem anderen Netz.',
  ],
  [
    '{0} changed on the Hub while it was downloaded. What was stored of the model has been removed: download it again.',
    '{0} hat sich auf dem Hub geändert, während es heruntergeladen wurde. Was vom Modell gespeichert war, ist entfernt: Lade es noch einmal herunter.',
  ],
  [
    '{0}: {1} ignored the range that was asked for and sent something else: it cannot be read piece by piece. Try again, or download the model by hand and drop its folder.',
    '{0}: {1} hat den verlangten Bereich übergangen und etwas anderes geschickt: Stück für Stück ist das nicht zu lesen. Versuch es noch einmal, oder lade das Modell von Hand herunter und lege seinen Ordner ab.',
  ],
  [
    "{0}: {1} says that the file has {2} bytes, the Hub's listing says {3}. Try again, or download the model by hand and drop its folder.",
    '{0}: Nach {1} hat die Datei {2} Byte, nach dem Verzeichnis des Hubs {3}. Versuch es noch einmal, oder lade das Modell von Hand herunter und lege seinen Ordner ab.',
  ],
  [
    '{0}: {1} sent the bytes {2} to {3} where {4} to {5} were asked for. Try again, or download the model by hand and drop its folder.',
    '{0}: {1} hat die Bytes {2} bis {3} geschickt, verlangt waren {4} bis {5}. Versuch es noch einmal, oder lade das Modell von Hand herunter und lege seinen Ordner ab.',
  ],
  [
    '{0}: {1} sent {2} bytes where {3} were asked for. Try again, or download the model by hand and drop its folder.',
    '{0}: {1} hat {2} Byte geschickt, verlangt waren {3}. Versuch es noch einmal, oder lade das Modell von Hand herunter und lege seinen Ordner ab.',
  ],
  // What this browser keeps.
  [
    "The browser's storage is full. Delete a stored model or a run, or free disk space; {0}.",
    'Der Speicher des Browsers ist voll. Lösch ein gespeichertes Modell oder einen Lauf, oder mach Platz auf dem Datenträger; {0}.',
  ],
  [
    'what was stored so far is kept and the import goes on from there',
    'was bis jetzt gespeichert ist, bleibt, und der Import geht von dort weiter',
  ],
  ['the run itself goes on', 'der Lauf selbst geht weiter'],
  [
    'the file is not kept over a reload, all else is',
    'die Datei überlebt das Neuladen nicht, alles andere schon',
  ],
  [
    'training goes on and the last checkpoint that fitted is kept',
    'das Training geht weiter, und der letzte Checkpoint, der passte, bleibt',
  ],
  ['the adapter can still be downloaded here', 'der Adapter lässt sich hier noch herunterladen'],
  [
    'The model needs {0} of browser storage, but only {1} are free. Delete a stored model or free disk space, then drop it again.',
    'Das Modell braucht {0} vom Speicher des Browsers, frei sind aber nur {1}. Lösch ein gespeichertes Modell, oder mach Platz auf dem Datenträger, und lege es dann noch einmal ab.',
  ],
  [
    '{0} was deleted, in another tab or by the browser, while it was imported. Import it again.',
    '{0} wurde während des Imports gelöscht, in einem anderen Tab oder vom Browser. Importiere es noch einmal.',
  ],
  [
    'The browser closed what it keeps for this page: its site data was cleared, or a newer version of the page was opened. A run that is going on ends here and can be downloaded, but nothing more is kept; then reload the page.',
    'Der Browser hat geschlossen, was er für diese Seite aufbewahrt: Ihre Daten wurden gelöscht, oder eine neuere Version der Seite wurde geöffnet. Ein Lauf, der im Gang ist, endet hier und lässt sich herunterladen, aber nichts weiter wird aufbewahrt; lade dann die Seite neu.',
  ],
  [
    'What this browser keeps was written by a newer version of Finetab. Close all its tabs and open the page again, which then is the newer version.',
    'Was dieser Browser aufbewahrt, stammt von einer neueren Version von Finetab. Schließ alle Tabs davon und öffne die Seite wieder; dann ist es die neuere Version.',
  ],
  [
    'This browser keeps no data for this page ({0}), so models and runs cannot be stored. Allow site data for this address, leave private browsing, or use another browser profile; then reload.',
    'Dieser Browser bewahrt für diese Seite nichts auf ({0}), also lassen sich Modelle und Läufe nicht speichern. Erlaube Websitedaten für diese Adresse, verlass den privaten Modus, oder nimm ein anderes Browserprofil; lade dann neu.',
  ],
  [
    'An older version of this page is open in another tab, and holds what this browser keeps. Close the other tabs of this page, then reload this one.',
    'Eine ältere Version dieser Seite ist in einem anderen Tab offen und hält fest, was dieser Browser aufbewahrt. Schließ die anderen Tabs dieser Seite, und lade dann diesen neu.',
  ],
  ['The transaction was aborted.', 'Die Transaktion wurde abgebrochen.'],
  [
    'The stored {0} of this run is damaged, or gone: its checksum is another. Delete the run and train again.',
    'Was von diesem Lauf gespeichert ist ({0}), ist beschädigt oder weg: Die Prüfsumme ist eine andere. Lösch den Lauf und trainiere noch einmal.',
  ],
  [
    'The checkpoints of this run are damaged: none is what was stored. Discard the run and train again.',
    'Die Checkpoints dieses Laufs sind beschädigt: Keiner ist, was gespeichert wurde. Verwirf den Lauf und trainiere noch einmal.',
  ],
  [
    'This model is not stored in this browser any more.',
    'Dieses Modell ist in diesem Browser nicht mehr gespeichert.',
  ],
  [
    'This model is not stored in this browser any more. Drop its files again.',
    'Dieses Modell ist in diesem Browser nicht mehr gespeichert. Lege seine Dateien noch einmal ab.',
  ],
  [
    'The import of {0} did not finish. Drop its files again: it goes on where it stopped.',
    'Der Import von {0} wurde nicht fertig. Lege die Dateien noch einmal ab: Er geht weiter, wo er stehen blieb.',
  ],
  [
    'The stored copy of {0} is damaged ({1}). Drop or download its files again: what is damaged is then replaced.',
    'Die gespeicherte Kopie von {0} ist beschädigt ({1}). Lege die Dateien noch einmal ab oder lade sie herunter: Was beschädigt ist, wird dann ersetzt.',
  ],
  [
    'The stored model {0} has no tensor {1}. Delete it and import it again.',
    'Dem gespeicherten Modell {0} fehlt der Tensor {1}. Lösch es und importiere es noch einmal.',
  ],
  [
    '{0}: tensor {1} was damaged in this browser, and these files hold another one. Delete the stored model and import it again.',
    '{0}: Der Tensor {1} war in diesem Browser beschädigt, und diese Dateien enthalten einen anderen. Lösch das gespeicherte Modell und importiere es noch einmal.',
  ],
  // Adapters to start from.
  [
    "The adapter's modules have ranks or alphas of their own (rank_pattern, alpha_pattern), and a run has one of each. Start from an adapter without them.",
    'Module des Adapters haben eigene Ränge oder Alphas (rank_pattern, alpha_pattern), ein Lauf hat von beidem eines. Beginne mit einem Adapter ohne sie.',
  ],
  [' It was made for {0}.', ' Er wurde für {0} gemacht.'],
  [
    'The adapter changes {0}, which {1} does not have as a linear layer.{2} Choose the model that belongs to it.',
    'Der Adapter ändert {0}, was {1} nicht als lineare Schicht hat.{2} Nimm das Modell, das dazugehört.',
  ],
  [
    "The adapter's {0} takes {1} and gives {2} values; that of {3} takes {4} and gives {5}.{6} Choose the model that belongs to it.",
    '{0} des Adapters nimmt {1} und gibt {2} Werte; bei {3} sind es {4} und {5}.{6} Nimm das Modell, das dazugehört.',
  ],
  // Bundles.
  [
    '{0} is no .finetab bundle. Take a file that "Save as a bundle" or npm run bundle wrote.',
    '{0} ist kein .finetab-Bündel. Nimm eine Datei, die „Als Bündel speichern“ oder npm run bundle geschrieben hat.',
  ],
  [
    '{0} was written by a newer version of Finetab (bundle {1}, this page reads {2}). Reload the page without a cache, or make the bundle again with this version.',
    '{0} stammt von einer neueren Version von Finetab (Bündel {1}, diese Seite liest {2}). Lade die Seite ohne Cache neu, oder mach das Bündel mit dieser Version noch einmal.',
  ],
  [
    'The header of {0} is damaged. Ask for the bundle again, or make it again.',
    'Der Kopf von {0} ist beschädigt. Bitte noch einmal um das Bündel, oder mach es noch einmal.',
  ],
  [
    'Ask for the bundle again, or make it again.',
    'Bitte noch einmal um das Bündel, oder mach es noch einmal.',
  ],
  [
    'Ask for the bundle again, or make it again; nothing of the damaged part was kept.',
    'Bitte noch einmal um das Bündel, oder mach es noch einmal; vom beschädigten Teil wurde nichts behalten.',
  ],
  ['Make the bundle again from the model.', 'Mach das Bündel aus dem Modell noch einmal.'],
  ['{0} has no part {1}.', '{0} hat keinen Teil {1}.'],
  [
    '{0} is cut off: its part {1} is not whole. {2}',
    '{0} ist abgeschnitten: Der Teil {1} ist nicht ganz. {2}',
  ],
  [
    '{0} in {1} is damaged or was exchanged: its SHA-256 is another. {2}',
    '{0} in {1} ist beschädigt oder wurde ausgetauscht: Das SHA-256 ist ein anderes. {2}',
  ],
  [
    '{0} is stored in this browser already, and its tensor {1} is another one. Delete the stored model, then open the bundle again.',
    '{0} ist in diesem Browser schon gespeichert, und sein Tensor {1} ist ein anderer. Lösch das gespeicherte Modell, und öffne das Bündel dann noch einmal.',
  ],
  // About a file, whatever is wrong with it.
  ['{0}: {1} Download the file again.', '{0}: {1} Lade die Datei neu herunter.'],
  [
    'The bundle would have {0} GiB, and a bundle holds 4 GiB. Take a smaller model, or fewer data files.',
    'Das Bündel hätte {0} GiB, und ein Bündel fasst 4 GiB. Nimm ein kleineres Modell oder weniger Datendateien.',
  ],
];
