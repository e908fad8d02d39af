/** The benchmark in a page, which `npm run bench -- --browser` calls. */
import { openGpu } from '../../src/gpu/gpuContext.ts';
import type { BenchHost } from './measuring.ts';
import { runBench } from './suite.ts';

/** Chromium's own extension; it counts garbage too. */
interface MemoryOfChromium {
  memory?: { usedJSHeapSize: number };
}

const host: BenchHost = {
  log: (line) => console.log(line),
  async demoFile(name) {
    const response = await fetch(`/demo/${name}`);
    if (!response.ok) throw new Error(`demo/${name}: ${response.status}`);
    return response.blob();
  },
  heapBytes: () => (performance as MemoryOfChromium).memory?.usedJSHeapSize ?? null,
};

const bench = async (options: Parameters<typeof runBench>[2]) => {
  const context = await openGpu();
  if (!context) throw new Error('This browser offers no WebGPU adapter.');
  return runBench(context, host, options);
};

export type BenchInPage = typeof bench;

Object.assign(globalThis, { bench });
