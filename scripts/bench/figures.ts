/** The figures of all benchmarks, as written to JSON. */
import type { DecodeBench } from './decode.ts';
import type { EagerBench } from './eager.ts';
import type { GrowthBench, LongRunBench } from './growth.ts';
import type { KernelBench } from './kernels.ts';
import type { LevelBench } from './levels.ts';
import type { StepBench } from './steps.ts';
import type { VariantBench } from './variants.ts';

export interface BenchFigures {
  adapter: string;
  software: boolean;
  size: 'real' | 'tiny';
  /** Bytes a second that a copy from buffer to buffer reads and writes, added up. */
  copyBytesPerSecond: number | null;
  kernels: KernelBench[];
  steps: StepBench[];
  decode: DecodeBench[];
  eager: EagerBench[];
  levels: LevelBench[];
  longRun: LongRunBench | null;
  growth: GrowthBench | null;
  variants: VariantBench[];
}
