/**
 * Matmul on a GPU: takes the chosen or the heuristic's config, and describes the tuning problem that other
 * configs can be measured by.
 */
import type { Dispatch, KernelConfig, KernelSettings, TuningProblem } from '../../gpu/dispatch.ts';
import { cpuMatmul } from './cpuMatmul.ts';
import { outputBindings } from './groupedGemm.ts';
import { candidateConfigs, configName, matmulKey, selectedConfig } from './matmulConfigs.ts';
import type { MatmulConfig } from './matmulHeuristic.ts';
import type { MatmulProblem } from './matmulProblem.ts';
import { skinnyMatmul } from './skinnyMatmul.ts';
import { scalarMatmul, subgroupMatrixMatmul, unrolledMatmul, vec4Matmul } from './tiledMatmul.ts';

/** @param scratchIndex index of the node's scratch that the kernels may use, and the one after it */
export function gpuMatmul(
  problem: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  const config = selectedConfig(problem, settings);
  const [first, ...rest] = configDispatches(config, problem, settings, scratchIndex);
  return [{ ...first, tuningProblem: tuningProblemOf(problem, scratchIndex) }, ...rest];
}

function tuningProblemOf(problem: MatmulProblem, scratchIndex: number): TuningProblem {
  const key = matmulKey(problem);
  const toKernelConfig = (config: MatmulConfig): KernelConfig => ({
    name: configName(config),
    variant: config.variant.name,
    level: config.variant.level,
    bound: config.variant.bound,
  });
  const { m, n, k } = problem;
  return {
    key,
    operations: m * n * k,
    outputs: Object.values(outputBindings(problem)),
    configs: (settings) => candidateConfigs(problem, settings).map(toKernelConfig),
    dispatches: ({ name }, settings) => {
      const config = selectedConfig(problem, { ...settings, choices: new Map([[key, name]]) });
      return configDispatches(config, problem, settings, scratchIndex);
    },
  };
}

function configDispatches(
  config: MatmulConfig,
  problem: MatmulProblem,
  settings: KernelSettings,
  scratchIndex: number,
): Dispatch[] {
  switch (config.variant.shader) {
    case 'matmul_tiled_scalar':
      return scalarMatmul(config, problem, settings, scratchIndex);
    case 'matmul_tiled_vec4':
      return vec4Matmul(config, problem, settings, scratchIndex);
    case 'matmul_tiled_unrolled':
      return unrolledMatmul(config, problem, settings, scratchIndex);
    case 'matmul_skinny':
      return [skinnyMatmul(config.variant, problem, settings)];
    case 'matmul_cpu_vec4':
      return cpuMatmul(problem, settings, scratchIndex);
    case 'matmul_subgroup_matrix':
      return subgroupMatrixMatmul(config, problem, settings, scratchIndex);
  }
}
