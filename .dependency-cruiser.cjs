// Imports point downward only, and each large dependency has one owner.
const LAYERS = ['app', 'worker', 'training', 'model', 'plan', 'ops', 'gpu'];
const LEAVES = ['quant', 'formats', 'data', 'lib'];

const OWNERS = [
  ['svelte', '^src/(app|main)'],
  ['idb', '^src/storage'],
  ['@huggingface/(jinja|tokenizers)', '^src/data'],
  ['@huggingface/hub', '^src/storage/hub'],
  ['@tensorflow', '^src/(plan/tensorflow|ops)'],
  ['uplot', '^src/app'],
  ['comlink', '^src/worker'],
  ['fflate', '^src/formats'],
  ['papaparse', '^src/data'],
  ['hyparquet', '^src/data'],
  ['valibot', '^src/training/recipe'],
];

const upward = LAYERS.flatMap((layer, i) =>
  i === 0 ? [] : [{ name: `${layer}-imports-downward`, severity: 'error', from: { path: `^src/${layer}/` }, to: { path: `^src/(${LAYERS.slice(0, i).join('|')})/` } }],
);

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    ...upward,
    { name: 'leaves-know-neither-gpu-nor-dom', severity: 'error', from: { path: `^src/(${LEAVES.join('|')})/` }, to: { path: `^src/(${[...LAYERS, 'storage'].join('|')})/` } },
    { name: 'storage-imports-leaves-only', severity: 'error', from: { path: '^src/storage/' }, to: { path: `^src/(${LAYERS.join('|')})/` } },
    { name: 'page-reaches-the-engine-through-workers', severity: 'error', from: { path: '^src/app/' }, to: { path: '^src/(model|plan|ops|gpu|storage|quant)/' } },
    ...OWNERS.map(([dependency, owner]) => ({
      name: `${dependency.replace(/\W/g, '')}-has-one-owner`,
      severity: 'error',
      from: { path: '^src/', pathNot: owner },
      to: { path: `node_modules/${dependency}` },
    })),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: '\\?(raw|worker|url)$',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'browser', 'default', 'types'] },
  },
};
