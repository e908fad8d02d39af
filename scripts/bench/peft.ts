/** Runs PEFT's benchmark on the same machine and compares its figures with ours. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryText, type StepBench } from './steps.ts';

export interface PeftBench {
  device: string;
  torch: string;
  steps: {
    model: string;
    mode: string;
    documents: string;
    tokensPerSecond: number;
    stepMs: number;
    peakBytes: number;
  }[];
  products: { shape: string; dtype: string; tflops?: number; bytesPerSecond?: number }[];
}

/**
 * @param source a file that tests/bench/peft.py wrote, or the Python to run it with
 * @throws where it cannot be run
 */
export function peftBench(source: string): PeftBench {
  if (source.endsWith('.json')) return JSON.parse(readFileSync(source, 'utf8')) as PeftBench;
  const folder = mkdtempSync(join(tmpdir(), 'finetab-peft-'));
  const file = join(folder, 'peft.json');
  const { status, error } = spawnSync(source, ['tests/bench/peft.py', '--json', file], { stdio: 'inherit' });
  if (status !== 0)
    throw new Error(
      `${source} tests/bench/peft.py failed${error ? `: ${error.message}` : ''}. It needs PyTorch with CUDA, transformers and peft.`,
    );
  const made = JSON.parse(readFileSync(file, 'utf8')) as PeftBench;
  rmSync(folder, { recursive: true });
  return made;
}

/** One row for each step: its tokens a second, over PEFT's in each mode that was measured. */
export function ratios(steps: readonly StepBench[], peft: PeftBench): Record<string, string>[] {
  return steps.map((row) => {
    const { model, level, documents, tokensPerSecond } = row;
    const same = peft.steps.filter((row) => row.model === model && row.documents === documents);
    return {
      model,
      documents,
      level: `${level}, ${memoryText(row)}`,
      'tokens/s': tokensPerSecond.toFixed(0),
      ...Object.fromEntries(
        same.map((row) => [`of PEFT ${row.mode}`, (tokensPerSecond / row.tokensPerSecond).toFixed(2)]),
      ),
    };
  });
}
