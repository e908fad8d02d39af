/** The tokenizer of a model, from its own files, by @huggingface/tokenizers. */
import { Tokenizer } from '@huggingface/tokenizers';
import { UserError } from '../../lib/errors.ts';
import {
  ChatTemplate,
  templateSource,
  type ChatMessage,
  type RenderOptions,
} from '../template/chatTemplate.ts';

/** Texts of a model's files by name; tokenizer.json and tokenizer_config.json are needed. */
export type TokenizerFiles = Readonly<Record<string, string | undefined>>;

/** Files of a model's folder that its tokenizer and chat template are made from. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'chat_template.json',
  'generation_config.json',
  'config.json',
] as const;

type TokenEntry = string | { content?: string } | null | undefined;

/** Special tokens that templates may name. */
const TEMPLATE_TOKENS = [
  'bos_token',
  'eos_token',
  'unk_token',
  'pad_token',
  'sep_token',
  'cls_token',
  'mask_token',
];
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
  /** Generation ends at one of these: the above and those of generation_config.json. */
  readonly stopTokenIds: number[];
  private readonly tokenizer: Tokenizer;
  private readonly template: ChatTemplate;
  private readonly specialIds: ReadonlySet<number>;

  /** @throws UserError naming the file that is missing or cannot be read */
  constructor(files: TokenizerFiles) {
    const tokenizerJson = parse(files, 'tokenizer.json');
    const config = parse(files, 'tokenizer_config.json');
    const extra = files['special_tokens_map.json'] ? parse(files, 'special_tokens_map.json') : {};
    this.tokenizer = makeTokenizer(tokenizerJson, config);
    const special = (key: string) => content((config[key] ?? extra[key]) as TokenEntry);
    this.eosToken = special('eos_token');
    this.bosToken = special('bos_token');
    this.eosTokenId = this.eosToken === null ? null : (this.idOf(this.eosToken) ?? null);
    this.specialIds = new Set(
      (tokenizerJson.added_tokens as { id: number; special?: boolean }[] | undefined)
        ?.filter((token) => token.special)
        .map((token) => token.id),
    );
    const named = {
      ...(config.extra_special_tokens as Record<string, TokenEntry> | undefined),
      ...Object.fromEntries(TEMPLATE_TOKENS.map((key) => [key, special(key)])),
    };
    const tokens = Object.entries(named).map(([key, token]) => [key, content(token)] as const);
    this.template = new ChatTemplate(
      templateSource(files, (name) => parse(files, name)),
      Object.fromEntries(tokens.filter((pair): pair is [string, string] => pair[1] !== null)),
    );
    this.endTokenIds = [...new Set([this.eosTokenId, this.endOfTurn()])].filter((id) => id !== null);
    this.stopTokenIds = [...new Set([...this.endTokenIds, ...generationEnds(files)])];
    [this.padToken, this.padTokenId] = this.padding(special('pad_token'));
  }

  /** The largest id in a short conversation, the template's own tokens among them. */
  get largestTemplateId(): number {
    return Math.max(-1, ...this.template.afterAnswer().flatMap((text) => this.encode(text)));
  }

  /** What the template makes the page do to a conversation that a person should know of. */
  get notes(): string[] {
    const notes: string[] = [];
    if (!this.template.hasSystemRole)
      notes.push(
        "This model's chat template has no system role: the system prompt is put before the first question, with an empty line between.",
      );
    if (this.template.switchesThinking)
      notes.push(
        "Thinking is switched off by the chat template's own switch (enable_thinking: false), in training as in answers.",
      );
    return notes;
  }

  /** Ids of a text; special tokens written in it become their ids, none is added. What a vocabulary without an unknown token lacks is left out. */
  encode(text: string): number[] {
    return known(this.tokenizer.encode(text, { add_special_tokens: false }).ids);
  }

  /** Ids of a text that is no conversation: what the tokenizer puts before and after a text, and the end token, each once. */
  encodeText(text: string): number[] {
    const ids = known(this.tokenizer.encode(text, { add_special_tokens: true }).ids);
    if (ids.length > 1 && ids[0] === ids[1] && this.specialIds.has(ids[0])) ids.shift();
    if (this.eosTokenId !== null && ids.at(-1) !== this.eosTokenId) ids.push(this.eosTokenId);
    return ids;
  }

  decode(ids: readonly number[], { skipSpecial = false } = {}): string {
    return ids.length === 0
      ? ''
      : this.tokenizer.decode([...ids], {
          skip_special_tokens: skipSpecial,
          clean_up_tokenization_spaces: false,
        });
  }

  idOf(token: string): number | undefined {
    return this.tokenizer.token_to_id(token);
  }

  /** Text of one token for display, special or not. */
  tokenText(id: number): string {
    return this.specialIds.has(id) ? (this.tokenizer.id_to_token(id) ?? '') : this.decode([id]);
  }

  isSpecial(id: number): boolean {
    return this.specialIds.has(id);
  }

  /** @throws TemplateError */
  render(messages: readonly ChatMessage[], options: RenderOptions): string {
    return this.template.render(messages, options);
  }

  /** The special token that the template writes after an answer, or before the next question where answers have no end of their own. */
  private endOfTurn(): number | null {
    for (const text of this.template.afterAnswer()) {
      const id = this.encode(text).find((candidate) => this.specialIds.has(candidate));
      if (id !== undefined) return id;
    }
    return null;
  }

  /** The model's own pad token unless it ends answers, else a reserved one, else any token that does not end answers: it is never attended to. */
  private padding(own: string | null): [string, number] {
    const ownId = own === null ? undefined : this.idOf(own);
    if (own !== null && ownId !== undefined && !this.endTokenIds.includes(ownId)) return [own, ownId];
    for (const token of RESERVED) {
      const id = this.idOf(token);
      if (id !== undefined && !this.stopTokenIds.includes(id)) return [token, id];
    }
    let id = 0;
    while (this.stopTokenIds.includes(id)) id++;
    return [this.tokenText(id), id];
  }
}

/** Ids without the holes that pieces outside the vocabulary leave. */
function known(ids: readonly (number | undefined)[]): number[] {
  return ids.filter((id) => id !== undefined);
}

/** Kinds of vocabulary that are read as Python reads them (tests/unit/tokenizerFiles.test.ts); files of old leave the type out. */
const VOCABULARIES: readonly unknown[] = ['BPE', 'Unigram', 'WordPiece', undefined];

function makeTokenizer(tokenizerJson: Record<string, unknown>, config: Record<string, unknown>): Tokenizer {
  const type = (tokenizerJson.model as { type?: unknown } | undefined)?.type;
  if (!VOCABULARIES.includes(type))
    throw new UserError(
      `tokenizer.json: the vocabulary is of type ${JSON.stringify(type)}; Finetab reads BPE, Unigram and WordPiece. Use another model.`,
    );
  try {
    return new Tokenizer(tokenizerJson, config);
  } catch (error) {
    throw new UserError(
      `tokenizer.json cannot be used: ${error instanceof Error ? error.message : String(error)}. Use a model whose tokenizer Finetab reads.`,
    );
  }
}

/** Where generation_config.json ends answers. */
function generationEnds(files: TokenizerFiles): number[] {
  if (files['generation_config.json'] === undefined) return [];
  const ends = [parse(files, 'generation_config.json').eos_token_id].flat();
  return ends.filter((id): id is number => Number.isInteger(id));
}

function parse(files: TokenizerFiles, name: string): Record<string, unknown> {
  const text = files[name];
  if (text === undefined)
    throw new UserError(
      `${name} is missing. Drop the whole folder of the model, its tokenizer files included.`,
    );
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new UserError(`${name} is not JSON. Download it again.`);
  }
}

function content(token: TokenEntry): string | null {
  return typeof token === 'string' ? token : (token?.content ?? null);
}
