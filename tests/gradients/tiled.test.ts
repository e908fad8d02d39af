/** Every op but attention (tiledAttention.test.ts) by the kernels for GPUs against TensorFlow.js. */
import { isSoftwareAdapter } from '../../src/gpu/adapterInfo.ts';
import type { KernelSettings } from '../../src/gpu/dispatch.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { opCases } from '../../src/verify/opCases.ts';
import type { OpCase } from '../../src/verify/caseBuilder.ts';
import { CPU_KERNELS, describeAgreement, GPU_KERNELS } from '../helpers/agreement.ts';
import { kernelSettings } from '../helpers/kernelSettings.ts';
import { testGpu } from '../helpers/gpu.ts';

const gpu = await testGpu();
// A software adapter takes seconds to compile one of these kernels. There, products have only the two kinds
// of weight whose readers differ; the other kinds are read by code that the kernels for CPU adapters share.
// Of LoRA it has one, two and four projections of ranks 4, 5, 16 and 128; three come between them. Of the
// delta rule it has documents of one token up to past two chunks of 64 in two of five cases. Split products
// are left to lavapipe (levels.test.ts), and a residual stream of 16 rows a workgroup to GPUs, since it
// compiles for minutes.
const onCpu = gpu !== null && isSoftwareAdapter(gpu.adapterInfo);

/** The ops of a case's leaves. */
const LEAF = ['loraDown', 'loraDownDa'];

/** The kernels of a case's op, as texts. */
function kernelsOf({ name, graph }: OpCase, change: Partial<KernelSettings>): string[] {
  const limits = { maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 30 };
  const { dispatches } = makePlan(name, graph, kernelSettings(change), limits);
  return dispatches.filter(({ op }) => !LEAF.includes(op)).map(({ code }) => code);
}

/** Cases whose kernels are those for CPU adapters, which ops.test.ts runs. */
const same = new Set(
  opCases()
    .filter((made) => {
      const ofCpu = new Set(kernelsOf(made, CPU_KERNELS));
      return kernelsOf(made, GPU_KERNELS).every((code) => ofCpu.has(code));
    })
    .map(({ name }) => name),
);

describeAgreement(
  gpu !== null,
  GPU_KERNELS,
  (name) =>
    !/^attention /.test(name) &&
    (!onCpu ||
      (!same.has(name) &&
        !/^(linear(Group)? (bf16|f16|nf4_f32)|lora 3 projections,|gatedDeltaRule (1×3|2×4|1×6),|split products|residual stream of 2060×8) /.test(
          name,
        ))),
);
