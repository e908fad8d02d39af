/**
 * Our engine against the arrays that grpo_gradients.py wrote.
 *
 *     node scripts/run.mjs --gpu tests/interop/grpoGradients.ts GOLDEN_FOLDER ARRAYS.safetensors
 *
 * Prints the worst difference of each kind, relative to each array's largest magnitude; fails beyond 3e-5,
 * the bound of every gradient in ../shared/golden. llama3_2 and qwen3 on SwiftShader: 2.7e-6 at worst, losses
 * within 1.1e-7, the same tokens clipped (22 to 28 %), the divergence within 5.4e-8.
 */
import { openNodeGpu } from '../../scripts/lib/nodeGpu.ts';
import { readArrays } from '../../scripts/lib/readArrays.ts';
import { largest } from '../../src/lib/extremes.ts';
import { grpoGradients } from '../helpers/grpoGradients.ts';

const BOUND = 3e-5;

export async function main([folder, file]: string[]): Promise<number> {
  const arrays = await readArrays(file);
  let worst = 0;
  for (const [kind, { loss, clipped, kl, gradients }] of Object.entries(
    await grpoGradients(await openNodeGpu(), folder),
  )) {
    const one = (key: string) => arrays.get(`${kind}.${key}`)!.data[0];
    const off = { A: 0, B: 0 };
    for (const [name, { data }] of gradients) {
      const theirs = arrays.get(`${kind}.${name}`)!.data;
      const most = largest(theirs.map(Math.abs));
      const side = name.includes('lora_A') ? 'A' : 'B';
      off[side] = Math.max(off[side], largest(data.map((value, i) => Math.abs(value - theirs[i]))) / most);
    }
    worst = Math.max(worst, off.A, off.B);
    console.log(
      `${kind}: loss off by ${Math.abs(loss - one('loss')).toExponential(1)}, clipped ${clipped} and ${one('clipped')}, ` +
        `KL ${kl === null ? 'none' : (kl - one('kl')).toExponential(1)}, dA ${off.A.toExponential(1)}, dB ${off.B.toExponential(1)} (${gradients.size} arrays)`,
    );
  }
  return worst <= BOUND ? 0 : 1;
}
