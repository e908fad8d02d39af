/**
 * Unigram vocabularies: the most likely cut of a word into pieces. `encode_optimized` of Rust's tokenizers,
 * operation by operation.
 */

/** What a character outside the vocabulary costs beyond the least likely piece. */
const UNKNOWN_PENALTY = 10;

interface TrieNode {
  children: Map<string, TrieNode>;
  /** Index of the piece that ends here. */
  id: number | null;
}

export class UnigramCutter {
  private readonly root: TrieNode = { children: new Map(), id: null };
  private readonly unknownScore: number;

  /**
   * @param vocabulary pieces and their log-probabilities
   * @param unknownId index of the piece that stands for what is unknown
   */
  constructor(
    private readonly vocabulary: readonly (readonly [string, number])[],
    private readonly unknownId: number | null,
  ) {
    let least = Infinity;
    vocabulary.forEach(([piece, score], id) => {
      least = Math.min(least, score);
      let node = this.root;
      for (const character of piece) {
        let child = node.children.get(character);
        if (!child) node.children.set(character, (child = { children: new Map(), id: null }));
        node = child;
      }
      node.id = id;
    });
    this.unknownScore = least - UNKNOWN_PENALTY;
  }

  /** The pieces of a word; neighbouring ones that are unknown (or the unknown piece written out) are one. */
  cut(word: string): string[] {
    const characters = Array.from(word);
    const count = characters.length;
    const score = new Float64Array(count + 1);
    const from = new Int32Array(count + 1).fill(-1);
    const isUnknown = new Uint8Array(count + 1);
    const reach = (start: number, end: number, candidate: number, unknown: boolean) => {
      if (from[end] >= 0 && candidate <= score[end]) return;
      score[end] = candidate;
      from[end] = start;
      isUnknown[end] = unknown ? 1 : 0;
    };
    for (let start = 0; start < count; start++) {
      let hasSingle = false;
      let node: TrieNode | undefined = this.root;
      for (let end = start; end < count; end++) {
        node = node.children.get(characters[end]);
        if (!node) break;
        if (node.id === null) continue;
        reach(start, end + 1, score[start] + this.vocabulary[node.id][1], node.id === this.unknownId);
        hasSingle ||= end === start;
      }
      if (!hasSingle) reach(start, start + 1, score[start] + this.unknownScore, true);
    }
    const pieces: string[] = [];
    let unknown = '';
    for (let end = count; end > 0; end = from[end]) {
      const piece = characters.slice(from[end], end).join('');
      if (isUnknown[end]) unknown = piece + unknown;
      else {
        if (unknown !== '') pieces.push(unknown);
        unknown = '';
        pieces.push(piece);
      }
    }
    if (unknown !== '') pieces.push(unknown);
    return pieces.reverse();
  }
}
