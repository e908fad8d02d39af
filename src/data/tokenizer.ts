/** The tokenizer of a model, from its own files, by @huggingface/tokenizers. */
import { Tokenizer } from '@huggingface/tokenizers';
import { UserError } from '../lib/errors.ts';
import { ChatTemplate, type ChatMessage } from './chatTemplate.ts';

/** Texts of a model's files by name; tokenizer.json and tokenizer_config.json are needed. */
export type TokenizerFiles = Readonly<Record<string, string | undefined>>;

type TokenEntry = string | { content?: string } | null | undefined;

/** Special tokens that templates may name. */
const TEMPLATE_TOKENS = ['bos_token', 'eos_token', 'unk_token', 'pad_token', 'sep_token', 'cls_token', 'mask_token'];
/** Ends of a turn in the templates of common families. */
const END_OF_TURN = ['<|eot_id|>', '<|im_end|>', '<end_of_turn>', '<|end|>', '<|eom_id|>'];
/** Reserved tokens that serve as padding, looked up by text because their ids differ between releases. */
const RESERVED = ['<|reserved_special_token_4|>', '<|finetune_right_pad_id|>', '<pad>', '[PAD]', '<|pad|>', '<|endoftext|>', '<unk>', '[UNK]'];

export class ChatTokenizer {
  readonly eosToken: string | null;
  readonly bosToken: string | null;
  readonly eosTokenId: number | null;
  /** Fills the tail of a batch; never the end token. */
  readonly padTokenId: number;
  readonly padToken: string;
  /** Generation ends at one of these. */
  readonly stopTokenIds: number[];
  private readonly tokenizer: Tokenizer;
  private readonly template: ChatTemplate;
  private readonly specialIds: ReadonlySet<number>;

  /** @throws UserError naming the file that is missing or cannot be read */
  constructor(files: TokenizerFiles) {
    const tokenizerJson = parse(files, 'tokenizer.json');
    const config = parse(files, 'tokenizer_config.json');
    const extra = files['special_tokens_map.json'] ? parse(files, 'special_tokens_map.json') : {};
    this.tokenizer = new Tokenizer(tokenizerJson, config);
    const special = (key: string) => content((config[key] ?? extra[key]) as TokenEntry);
    this.eosToken = special('eos_token');
    this.bosToken = special('bos_token');
    this.eosTokenId = this.eosToken === null ? null : (this.idOf(this.eosToken) ?? null);
    this.specialIds = new Set((tokenizerJson.added_tokens as { id: number; special?: boolean }[] | undefined)?.filter((token) => token.special).map((token) => token.id));
    this.stopTokenIds = this.stopTokens(files);
    [this.padToken, this.padTokenId] = this.padding(special('pad_token'));
    const tokens = Object.fromEntries(TEMPLATE_TOKENS.map((key) => [key, special(key)]).filter((pair): pair is [string, string] => pair[1] !== null));
    this.template = new ChatTemplate(templateSource(config, files), tokens);
  }

  /** Ids of a text; special tokens written in it become their ids, none is added. */
  encode(text: string): number[] {
    return this.tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  decode(ids: readonly number[], { skipSpecial = false } = {}): string {
    return ids.length === 0 ? '' : this.tokenizer.decode([...ids], { skip_special_tokens: skipSpecial, clean_up_tokenization_spaces: false });
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

  render(messages: readonly ChatMessage[], options: { addGenerationPrompt: boolean; dateString: string }): string {
    return this.template.render(messages, options);
  }

  private stopTokens(files: TokenizerFiles): number[] {
    const ids = new Set<number>();
    if (this.eosTokenId !== null) ids.add(this.eosTokenId);
    if (files['generation_config.json']) {
      const eos = parse(files, 'generation_config.json').eos_token_id;
      for (const id of Array.isArray(eos) ? eos : [eos]) if (Number.isInteger(id)) ids.add(id as number);
    }
    for (const token of END_OF_TURN) {
      const id = this.idOf(token);
      if (id !== undefined) ids.add(id);
    }
    return [...ids];
  }

  /** The model's own pad token unless it ends answers, else a reserved one, else any token that does not end answers: it is never attended to. */
  private padding(own: string | null): [string, number] {
    for (const token of [own, ...RESERVED]) {
      const id = token === null ? undefined : this.idOf(token);
      if (token !== null && id !== undefined && token !== this.eosToken && !this.stopTokenIds.includes(id)) return [token, id];
    }
    let id = 0;
    while (this.stopTokenIds.includes(id)) id++;
    return [this.tokenText(id), id];
  }
}

function parse(files: TokenizerFiles, name: string): Record<string, unknown> {
  const text = files[name];
  if (text === undefined) throw new UserError(`${name} is missing. Drop the whole folder of the model, its tokenizer files included.`);
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new UserError(`${name} is not JSON. Download it again.`);
  }
}

function content(token: TokenEntry): string | null {
  return typeof token === 'string' ? token : (token?.content ?? null);
}

/** chat_template.jinja, else the config's template: one text, or a list of named ones of which "default" counts. */
function templateSource(config: Record<string, unknown>, files: TokenizerFiles): string {
  if (files['chat_template.jinja']) return files['chat_template.jinja'];
  const template = config.chat_template;
  if (typeof template === 'string') return template;
  if (Array.isArray(template)) {
    const named = template as { name: string; template: string }[];
    const found = named.find(({ name }) => name === 'default') ?? named[0];
    if (found) return found.template;
  }
  throw new UserError('The tokenizer has no chat template (chat_template in tokenizer_config.json, or chat_template.jinja). Use an instruct or chat model.');
}
