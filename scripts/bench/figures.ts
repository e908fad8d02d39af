/** What the benchmarks measure, as their JSON has it. */
import type { DecodeBench } from './decode.ts';
import type { EagerBench } from './eager.ts';
import type { GrowthBench, LongRunBench } from './growth.ts';
import type { KernelBench } from './kernels.ts';
import type { LevelBench } from './levels.ts';
import type { StepBench } from './steps.ts';

export interface BenchFigures {
  adapter: string;
  software: boolean;
  size: 'real' | 'tiny';
  /** Bytes a second of a copy from buffer to buffer, what is read and what is written counted. */
  copyBytesPerSecond: number | null;
  kernels: KernelBench[];
  steps: StepBench[];
  decode: DecodeBench[];
  eager: EagerBench[];
  levels: LevelBench[];
  longRun: LongRunBench | null;
  growth: GrowthBench | null;
}
