/**
 * The losses of preference methods and their slopes against TRL's (tests/interop/make_preference_losses.py).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { packDocuments } from '../../src/data/packing.ts';
import type { MicroBatch } from '../../src/data/types.ts';
import { grpoStepLoss, type GrpoSettings } from '../../src/training/preference/grpoObjective.ts';
import { advantagesOf } from '../../src/training/reward/advantages.ts';
import { ktoLoss, referencePoint, type KtoSettings } from '../../src/training/preference/ktoLoss.ts';
import { pairLoss, type PairMethod, type PairSettings } from '../../src/training/preference/pairLosses.ts';
import { ktoObjective, pairObjective } from '../../src/training/preference/preferenceObjective.ts';
import { isScoredWhole, packSequences, sequenceOf } from '../../src/training/preference/sequences.ts';
import { uniform } from '../../src/verify/caseBuilder.ts';

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/preferenceLosses.json', import.meta.url), 'utf8'),
) as {
  tokens: [number[], number[]];
  policy: [number[], number[]];
  reference: [number[], number[]];
  pairs: {
    method: PairMethod;
    settings: Partial<PairSettings>;
    loss: number[];
    byChosen: number[];
    byRejected: number[];
    rewards: [number[], number[]];
  }[];
  wanted: boolean[];
  kto: {
    settings: KtoSettings;
    usesReferencePoint: boolean;
    point: number;
    loss: number[];
    slope: number[];
  }[];
};
const close = (mine: number, theirs: number) =>
  expect(Math.abs(mine - theirs)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(theirs)));
const { tokens, policy, reference } = fixture;

describe('losses of pairs', () => {
  it.each(fixture.pairs)('$method with $settings is as TRL has it', (theirs) => {
    const settings = { beta: 0.1, label_smoothing: 0, simpo_gamma: 0, ...theirs.settings };
    theirs.loss.forEach((loss, k) => {
      const mine = pairLoss(
        theirs.method,
        {
          chosen: { sum: policy[0][k], tokens: tokens[0][k] },
          rejected: { sum: policy[1][k], tokens: tokens[1][k] },
          reference: { chosen: reference[0][k], rejected: reference[1][k] },
        },
        settings,
      );
      close(mine.loss, loss);
      close(mine.byChosen, theirs.byChosen[k]);
      close(mine.byRejected, theirs.byRejected[k]);
      close(mine.rewards.chosen, theirs.rewards[0][k]);
      close(mine.rewards.rejected, theirs.rewards[1][k]);
    });
  });

  it.each(fixture.kto)('kto with $settings, reference point $point', (theirs) => {
    const ratios = policy[1].map((sum, i) => sum - reference[1][i]);
    const point = theirs.usesReferencePoint ? referencePoint(ratios) : 0;
    close(point, theirs.point);
    theirs.loss.forEach((loss, i) => {
      const mine = ktoLoss(policy[0][i] - reference[0][i], fixture.wanted[i], point, theirs.settings);
      close(mine.loss, loss);
      close(mine.slope, theirs.slope[i]);
    });
  });
});

const ids = (count: number, seed: number) =>
  [...uniform(count, seed)].map((value) => Math.floor(50 + 40 * value));
const sequences = [5, 9, 4, 12, 7, 3].map((length, i) => sequenceOf(ids(3 + (i >> 1), 9), ids(length, i)));
const shape = { tokens: 32, padTokenId: 0 };
/** A loss for each target of a batch, as an engine gives them. */
const lossesOf = (batches: readonly MicroBatch[], change = 0, at = [-1, -1]) =>
  batches.map(({ targets }, b) =>
    Float32Array.from(targets, (target, t) =>
      target < 0 ? 0 : 1 + ((7 * b + 3 * t) % 5) / 4 + (b === at[0] && t === at[1] ? change : 0),
    ),
  );
const STEP = 2 ** -6;

/** Compares the weight of each token with how its loss changes the objective. */
function checkWeights(
  batches: readonly MicroBatch[],
  objective: { evaluate(losses: Float32Array[]): { loss: number; weights: Float32Array[] } },
): void {
  const { weights } = objective.evaluate(lossesOf(batches));
  let seen = 0;
  batches.forEach(({ targets }, b) =>
    targets.forEach((target, t) => {
      const [up, down] = [STEP, -STEP].map(
        (change) => objective.evaluate(lossesOf(batches, change, [b, t])).loss,
      );
      const slope = target < 0 ? 0 : (up - down) / (2 * STEP);
      expect(Math.abs(weights[b][t] - slope), `${b}:${t}`).toBeLessThan(2e-4);
      if (weights[b][t] !== 0) seen++;
    }),
  );
  expect(seen).toBeGreaterThan(10);
}

describe("an objective's weights", () => {
  const of = [-9, -14, -7, -30, -8, -5];
  it.each(['dpo', 'ipo', 'simpo', 'orpo'] as const)(
    'are the slopes of %s by the losses of tokens',
    (method) => {
      const microBatches = packSequences(sequences, shape, isScoredWhole(method));
      expect(microBatches.length).toBeGreaterThan(1);
      const settings = { beta: 0.7, label_smoothing: 0.1, simpo_gamma: 0.2 };
      const step = { method, settings, microBatches, sequences, reference: of, pairsPerMean: 2 };
      checkWeights(microBatches, pairObjective(step));
    },
  );

  it('are the slopes of kto, whose reference point is no part of them', () => {
    const microBatches = packSequences(sequences, shape);
    const others = packSequences(sequences.toReversed(), shape);
    const settings = { beta: 0.4, desirable_weight: 1.2, undesirable_weight: 0.8 };
    const objective = ktoObjective({
      settings,
      microBatches,
      sequences,
      wanted: [true, false, true, true, false, false],
      reference: of,
      mismatched: { microBatches: others, sequences: sequences.toReversed(), reference: of },
      rowsPerMean: 4,
    });
    expect(objective.extra).toBe(others);
    const evaluate = (losses: Float32Array[]) => objective.evaluate([...losses, ...lossesOf(others)]);
    checkWeights(microBatches, { evaluate });
  });

  it.each([
    ['grpo', false],
    ['bnpo', true],
    ['dapo', false],
    ['dr_grpo', true],
  ] as const)(
    'are the slopes of GRPO with loss_type %s and use_bias_correction_kl %s',
    (loss_type, use_bias_correction_kl) => {
      const microBatches = packSequences(sequences, shape);
      const settings: GrpoSettings = {
        beta: 0.3,
        epsilon: 0.2,
        epsilon_high: 0.28,
        loss_type,
        max_completion_length: 12,
        use_bias_correction_kl,
      };
      const spread = (by: number) =>
        sequences.map(({ labels }) => [...uniform(labels.length, by)].map((value) => -1.4 + 0.3 * value));
      const step = {
        settings,
        microBatches,
        sequences,
        advantages: advantagesOf([1, 0, 2, 0, 0, 3], [1, 0, 2, 0, 0, 3].length, 'group'),
        old: spread(1),
        reference: spread(2),
      };
      const evaluate = (losses: Float32Array[]) => {
        const { loss, slopes, figures } = grpoStepLoss(step, losses);
        expect(figures.clip_ratio).toBeGreaterThan(0);
        const next = slopes.map(() => 0);
        const weights = microBatches.map(({ spans, tokens: count }) => {
          const made = new Float32Array(count);
          for (const { index, start, length } of spans)
            for (let p = 1; p < length; p++)
              if (sequences[index].labels[p] !== -100) made[start + p - 1] = -slopes[index][next[index]++];
          return made;
        });
        return { loss, weights };
      };
      checkWeights(microBatches, { evaluate });
    },
  );
});

describe('advantages', () => {
  it('are rewards less their mean, over their deviation where scale_rewards', () => {
    expect(advantagesOf([1, 2, 3, 6], [1, 2, 3, 6].length, 'none')).toEqual([-2, -1, 0, 3]);
    const scaled = advantagesOf([1, 2, 3, 6], [1, 2, 3, 6].length, 'group');
    close(scaled[3], 3 / (Math.sqrt(14 / 3) + 1e-4));
    expect(advantagesOf([2, 2], [2, 2].length, 'group')).toEqual([0, 0]);
  });
});

it('packs both answers of a pair, and leaves prompts without weight but for ORPO', () => {
  const [batch] = packSequences(sequences.slice(0, 2), { tokens: 64, padTokenId: 0 });
  expect(batch.spans.map(({ index }) => index).sort()).toEqual([0, 1]);
  expect(batch.supervisedTokens).toBe(5 + 9);
  expect(
    packSequences(sequences.slice(0, 2), { tokens: 64, padTokenId: 0 }, isScoredWhole('orpo'))[0]
      .supervisedTokens,
  ).toBe(7 + 9);
  expect(packDocuments([], shape)).toEqual([]);
});
