/** What generation in slots needs of an engine: prefill and decode of a batch of sequences. */

/** A plan's inputs by name. */
export type SlotInputs = Record<string, Float32Array | Uint32Array>;

/** Prefill and decode as the engine replays them. */
export interface SlotRunner {
  slots: number;
  /** Most tokens of a prompt and its answer. */
  maxLength: number;
  /** Tokens of one prefill. */
  prefillTokens: number;
  /**
   * A sequence that grows past this length is prefilled again, because RoPE rotates it otherwise from there
   * on; null: never.
   */
  switchLength: number | null;
  /** Whether the host needs each round's ids before the next, to read rows of stored tables by them. */
  needsIds: boolean;
  /** @returns the next id of every slot */
  prefill(inputs: SlotInputs): Promise<Uint32Array>;
  /**
   * Adds one token to every slot in each round. After the first round `inputIds` are the ids of the round
   * before, and inputs that a round leaves out keep their values.
   * @returns the ids of each round
   */
  decode(rounds: readonly SlotInputs[]): Promise<Uint32Array[]>;
}
