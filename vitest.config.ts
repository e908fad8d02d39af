import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { mergeConfig } from 'vitest/config';
import vite from './vite.config.ts';

/** Files that take minutes on a CPU adapter, the longest first: begun last, one of them would keep a single core busy at the end. */
const LONGEST = [
  'golden/reference',
  'e2e/page',
  'gpu/families',
  'gradients/tiled',
  'gradients/tiledAttention',
  'gradients/matmul',
  'gpu/engine',
  'golden/gguf',
  'e2e/hosting',
  'gradients/ops',
  'gpu/tuner',
  'gpu/kernels',
  'gpu/lora',
  'e2e/data',
  'e2e/result',
  'e2e/commands',
];

/** Measures time: alone, when everything else is done. */
const ALONE = 'tests/e2e/usability.test.ts';

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(`tests/${name}.test.ts`));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

const built = './tests/helpers/buildOnce.ts';

export default mergeConfig(vite, {
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A test of a GPU waits for one core at a time: shaders compile on one.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          // The plugin that bounds its runs changes it.
          server: { deps: { inline: [/hyparquet/] } },
          include: ['tests/**/*.test.ts'],
          // Those that scripts/test.ts runs on another adapter.
          exclude: ['tests/e2e/**', ...(process.env.RUN_ELSEWHERE?.split(' ') ?? [])],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'page',
          include: ['tests/e2e/*.test.ts'],
          exclude: [ALONE],
          globalSetup: built,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'page alone', include: [ALONE], globalSetup: built, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
