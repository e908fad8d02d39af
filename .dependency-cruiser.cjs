// Imports point downward only, there is no cycle, and each large dependency has one owner.

/** Rooms from the top down; rooms of one line do not import one another unless listed in BESIDE. */
const LAYERS = [
  ['page'],
  ['worker', 'player'],
  ['training', 'import', 'export'],
  ['engine'],
  ['tuning', 'verify'],
  ['model'],
  ['plan'],
  ['ops'],
  ['graph'],
  ['gpu'],
];
const LEAVES = ['quant', 'formats', 'data', 'lib'];
/** Rooms of one layer that may be imported by another of it. */
const BESIDE = { export: ['training'], import: ['training'] };

const OWNERS = [
  ['svelte', '^src/(page|main)'],
  ['idb', '^src/storage'],
  ['@huggingface/(jinja|tokenizers)', '^src/data'],
  ['@tensorflow', '^src/(plan/tensorflow|graph/tensorflowTypes)'],
  ['uplot', '^src/page'],
  ['marked', '^src/page'],
  ['comlink', '^src/worker'],
  ['fflate', '^src/formats'],
  ['papaparse', '^src/data'],
  ['hyparquet', '^src/data'],
  ['@jitl|quickjs-emscripten-core|@cfworker', '^src/training/scoring'],
  ['valibot', '^src/(training/\\w*[rR]ecipe|data/tokenizer|export/runFile|formats/bundle)'],
];

const rooms = (names) => `^src/(${names.join('|')})/`;

const downward = LAYERS.flatMap((layer, i) =>
  layer.map((room) => {
    const above = LAYERS.slice(0, i).flat();
    const beside = layer.filter((other) => other !== room && !(BESIDE[room] ?? []).includes(other));
    const forbidden = [...above, ...beside];
    return (
      forbidden.length > 0 && {
        name: `${room}-imports-downward`,
        severity: 'error',
        from: { path: rooms([room]) },
        to: { path: rooms(forbidden) },
      }
    );
  }),
);

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: { path: '^(src|scripts)/' }, to: { circular: true } },
    ...downward.filter(Boolean),
    {
      name: 'leaves-know-neither-gpu-nor-dom',
      severity: 'error',
      from: { path: rooms(LEAVES) },
      to: { path: rooms([...LAYERS.flat(), 'storage']) },
    },
    {
      name: 'storage-imports-leaves-only',
      severity: 'error',
      from: { path: '^src/storage/' },
      to: { path: rooms(LAYERS.flat()) },
    },
    {
      name: 'page-reaches-the-engine-through-workers',
      severity: 'error',
      from: { path: '^src/page/' },
      to: {
        path: rooms([
          'engine',
          'tuning',
          'verify',
          'import',
          'model',
          'plan',
          'ops',
          'graph',
          'gpu',
          'storage',
          'quant',
        ]),
      },
    },
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
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'browser', 'default', 'types'],
    },
  },
};
