/**
 * The tokenizer of a model with its chat template, from the model's own files: what the page encodes, renders
 * and decodes with.
 */
import {
  ChatTemplate,
  type ChatMessage,
  type RenderOptions,
  type TemplateAbilities,
} from '../template/chatTemplate.ts';
import { templateSource } from '../template/templateSource.ts';
import {
  filesOfModel,
  generationEnds,
  makeTokenizer,
  parseFile,
  specialTokensOf,
  TOKENIZER_FILES,
  vocabularySizeOf,
  type TokenizerFiles,
} from './modelFiles.ts';
import type { PythonTokenizer } from './pythonTokenizer.ts';

export { filesOfModel, TOKENIZER_FILES, type TokenizerFiles };

/** Reserved tokens that serve as padding, looked up by text because their ids differ between releases. */
const RESERVED = [
  '<|reserved_special_token_4|>',
  '<|finetune_right_pad_id|>',
  '<pad>',
  '[PAD]',
  '<|pad|>',
  '<|endoftext|>',
  '<unk>',
  '[UNK]',
];

export class ChatTokenizer {
  readonly eosToken: string | null;
  readonly bosToken: string | null;
  readonly eosTokenId: number | null;
  /** Fills the tail of a batch; never the end token. */
  readonly padTokenId: number;
  readonly padToken: string;
  /** The end token, and the one that the chat template writes after an answer. */
  readonly endTokenIds: number[];
  /** Generation ends at one of these: the above and those of generation_config.json or config.json. */
  readonly stopTokenIds: number[];
  /** Ids from here on have no row in the model's embedding table; null: not known. */
  readonly vocabularySize: number | null;
  /** Without the template: its added tokens, and what it puts around a text. */
  readonly tokenizer: PythonTokenizer;
  private readonly template: ChatTemplate;
  private readonly specialIds: ReadonlySet<number>;

  /** @throws UserError naming the file that is missing or cannot be read */
  constructor(files: TokenizerFiles) {
    parseFile(files, 'tokenizer_config.json');
    const special = specialTokensOf(files);
    this.tokenizer = makeTokenizer(files, special);
    this.vocabularySize = vocabularySizeOf(files);
    this.eosToken = special.named.get('eos_token') ?? null;
    this.bosToken = special.named.get('bos_token') ?? null;
    this.eosTokenId = this.eosToken === null ? null : (this.idOf(this.eosToken) ?? null);
    this.specialIds = new Set(
      this.tokenizer.added.tokens.filter((token) => token.special).map(({ id }) => id),
    );
    this.template = new ChatTemplate(
      templateSource(files, (name) => parseFile(files, name)),
      Object.fromEntries(special.named),
    );
    this.endTokenIds = [...new Set([this.eosTokenId, this.endOfTurn()])].filter((id) => id !== null);
    this.stopTokenIds = [...new Set([...this.endTokenIds, ...generationEnds(files)])];
    [this.padToken, this.padTokenId] = this.padding(special.named.get('pad_token') ?? null);
  }

  /** The largest id in a short conversation, the template's own tokens among them. */
  get largestTemplateId(): number {
    return this.template
      .afterAnswer()
      .flatMap((text) => this.encode(text))
      .reduce((largest, id) => Math.max(largest, id), -1);
  }

  /** What the template makes the page do to a conversation that a person should know of. */
  get notes(): string[] {
    const notes: string[] = [];
    if (this.template.movesSystem)
      notes.push(
        "This model's chat template prints the system prompt with the last question only: it is put before the first question instead, with an empty line between, so that a conversation's beginning stays what it is.",
      );
    else if (!this.template.hasSystemRole)
      notes.push(
        "This model's chat template has no system role: the system prompt is put before the first question, with an empty line between.",
      );
    if (this.template.switchesThinking)
      notes.push(
        "Thinking is switched off by the chat template's own switch (enable_thinking: false), in training as in answers; it is left on where a row's own answer thinks.",
      );
    return notes;
  }

  /** Ids of a text; special tokens written in it become their ids, none is added. */
  encode(text: string): number[] {
    return this.tokenizer.encode(text);
  }

  /**
   * Ids of a text that is no conversation: what the tokenizer puts before and after a text, and the end
   * token, each once.
   */
  encodeText(text: string): number[] {
    const { before, after } = this.tokenizer.aroundText;
    const ids = [...before, ...this.encode(text), ...after];
    const [first, second] = ids;
    if (first !== undefined && first === second && this.specialIds.has(first)) ids.shift();
    if (this.eosTokenId !== null && ids.at(-1) !== this.eosTokenId) ids.push(this.eosTokenId);
    return ids;
  }

  decode(ids: readonly number[] | Uint32Array, { skipSpecial = false } = {}): string {
    return this.tokenizer.decode([...ids], skipSpecial ? (id) => this.specialIds.has(id) : undefined);
  }

  idOf(token: string): number | undefined {
    return this.tokenizer.idOf(token);
  }

  /** Text of one token for display, special or not. */
  tokenText(id: number): string {
    return this.specialIds.has(id) ? (this.tokenizer.tokenOf(id) ?? '') : this.decode([id]);
  }

  isSpecial(id: number): boolean {
    return this.specialIds.has(id);
  }

  /** @throws TemplateError */
  render(messages: readonly ChatMessage[], options: RenderOptions): string {
    return this.template.render(messages, options);
  }

  /**
   * The messages as they are, with nothing folded or switched: what transformers' apply_chat_template gives.
   * @throws TemplateError
   */
  renderExactly(messages: readonly ChatMessage[], options: RenderOptions): string {
    return this.template.renderExactly(messages, options);
  }

  /** What the chat template prints beyond texts. */
  get abilities(): TemplateAbilities {
    return this.template.abilities;
  }

  /**
   * The special token that the template writes after an answer, or before the next question where answers
   * have no end of their own.
   */
  private endOfTurn(): number | null {
    for (const text of this.template.afterAnswer()) {
      const id = this.encode(text).find((candidate) => this.specialIds.has(candidate));
      if (id !== undefined) return id;
    }
    return null;
  }

  /**
   * The model's own pad token unless it ends answers, else a reserved one, else any token that does not end
   * answers: it is never attended to. Each must have a row in the embedding table.
   */
  private padding(own: string | null): [string, number] {
    const isThere = (id: number | undefined): id is number =>
      id !== undefined && (this.vocabularySize === null || id < this.vocabularySize);
    const ownId = own === null ? undefined : this.idOf(own);
    if (own !== null && isThere(ownId) && !this.endTokenIds.includes(ownId)) return [own, ownId];
    for (const token of RESERVED) {
      const id = this.idOf(token);
      if (isThere(id) && !this.stopTokenIds.includes(id)) return [token, id];
    }
    let id = 0;
    while (this.stopTokenIds.includes(id)) id++;
    return [this.tokenText(id), id];
  }
}
