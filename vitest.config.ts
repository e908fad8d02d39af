import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { mergeConfig } from 'vitest/config';
import vite from './vite.config.ts';

/** Files that take minutes on a CPU adapter, the longest first: begun last, one of them would keep a single core busy at the end. */
const LONGEST = ['gradients/tiled', 'golden/reference', 'e2e/page', 'gpu/engine', 'gradients/ops', 'e2e/hosting'];

/** Measures time: last, when nothing else runs. */
const LAST = 'e2e/usability';

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const is = (name: string) => moduleId.endsWith(`tests/${name}.test.ts`);
      const at = LONGEST.findIndex(is);
      return at < 0 ? LONGEST.length + Number(is(LAST)) : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default mergeConfig(vite, {
  test: { include: ['tests/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, sequence: { sequencer: LongestFirst } },
});
