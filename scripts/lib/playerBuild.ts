/** Builds finetab-player: one ES module for any page, and its fallback beside it. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';
import { isFresh } from './sourceTimes.ts';
import { FALLBACK_FILE, PLAYER_FILE } from '../../src/export/player/playerFolder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ENTRIES = { [PLAYER_FILE]: 'src/player/player.ts', [FALLBACK_FILE]: 'src/player/fallback.ts' };

/**
 * Kernels that no plan of a player has: of training, of imports, and of the level of subgroup matrices.
 * tests/unit/player.test.ts holds the list against the plans.
 */
export const NOT_PLAYED =
  /\/(optimizer|verify)\/|\/(quantize_nf4|dequantize_nf4_several|rotation|workgroup_sum|dropout|neftune|(un)?pack_e6m9|e6m9|vec4_operand|lora_dx|lora_gradients|rms_norm_dx|gated_dx|softcap_dx|head_gate_dgate|attention_delta|weighted_sum|dora_magnitude|\w*_dq_\w+|\w*_dkv_\w+|\w+_subgroup_matrix|matrix_scores_backward|delta_gates_dx|gated_delta_rule_(past|reverse|scores|future|dgates|ddecay))\.wgsl$/;

/**
 * WGSL without comments and white space that nobody reads in a bundle. The preprocessor's lines stay as they
 * are, and spaces beside - / < > do, since without them other tokens could arise (--, //, >=).
 */
export function compactWgsl(text: string): string {
  return text
    .replace(/\/\/.*$/gm, '')
    .split('\n')
    .map((line) => line.trim())
    .map((line) =>
      line.startsWith('#') ? line : line.replace(/(?<![<>/-]) *([=+*,;:(){}]) *(?![<>/-])/g, '$1'),
    )
    .filter((line) => line !== '')
    .join('\n');
}

/** The texts of files by their paths. */
type Replacements = readonly (readonly [file: RegExp, text: string])[];

/**
 * What only training calls: how layers are chosen that are recomputed, for an aim of memory, how activations
 * are kept in 16 bits, the steps, and how they are timed. And what saves a long prompt some dispatches, which
 * is not worth its size.
 */
const OF_TRAINING: Replacements = [
  [/\/src\/ops\/lora\/loraThen\.ts$/, 'export const fuseThen = () => null;'],
  [/\/src\/plan\/addPartsLater\.ts$/, 'export const addPartsLater = (planned) => planned;'],
  [/\/src\/ops\/lora\/loraAhead\.ts$/, refusing('fuseAhead')],
  [/\/src\/plan\/dequantiseTogether\.ts$/, 'export const dequantiseTogether = (planned) => planned;'],
  [/\/src\/engine\/memoryChoice\.ts$/, refusing('chooseMemory')],
  [/\/src\/plan\/packActivations\.ts$/, refusing('packActivations')],
  [/\/src\/engine\/webgpu\/optimizerSteps\.ts$/, refusing('GpuSteps')],
  [/\/src\/engine\/webgpu\/engineTiming\.ts$/, 'export class EngineTiming {}'],
];

function refusing(name: string): string {
  return `export function ${name}() { throw new Error('A player does not train.'); }`;
}

/** Gradients of LoRA and attention. The graph that the second module runs is differentiated. */
const OF_GRADIENTS: Replacements = [
  [
    /\/src\/ops\/lora\/loraBackward\.ts$/,
    'export const loraDxOp = null, loraParametersOp = null, loraDownDaOp = null;',
  ],
  [
    /\/src\/ops\/attention\/attentionBackward\.ts$/,
    'export const attentionDeltaOp = null, attentionDqOp = null, attentionDkvOp = null;',
  ],
];

const replacing = (files: Replacements): Plugin => ({
  name: 'without-training',
  enforce: 'pre',
  load: (id) => files.find(([file]) => file.test(id))?.[1] ?? null,
});

/** Compact texts of the kernels in a build. @param leavesOut whether nothing there calls a path's kernel */
export const compactShaders = (leavesOut: (path: string) => boolean): Plugin => ({
  name: 'compact-shaders',
  enforce: 'pre',
  apply: 'build',
  async load(id) {
    const [path] = id.split('?');
    if (!path.endsWith('.wgsl')) return null;
    const text = leavesOut(path) ? '' : compactWgsl(await readFile(path, 'utf8'));
    return { code: `export default ${JSON.stringify(text)};`, moduleType: 'js' };
  },
});

/** @returns the texts of the two modules by file name */
export async function buildPlayer(): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [file, entry] of Object.entries(ENTRIES)) {
    const result = await build({
      root,
      configFile: false,
      logLevel: 'error',
      mode: 'production',
      plugins: [
        compactShaders((path) => NOT_PLAYED.test(path)),
        replacing(file === PLAYER_FILE ? [...OF_TRAINING, ...OF_GRADIENTS] : OF_TRAINING),
      ],
      build: {
        target: 'es2023',
        write: false,
        copyPublicDir: false,
        modulePreload: false,
        chunkSizeWarningLimit: 2000,
        rolldownOptions: {
          input: `${root}${entry}`,
          preserveEntrySignatures: 'strict',
          output: { format: 'es', codeSplitting: false, entryFileNames: file },
        },
      },
    });
    if (!('output' in result)) throw new Error(`${entry} was not built.`);
    const chunks = result.output.filter((made) => made.type === 'chunk');
    if (chunks.length !== 1) throw new Error(`${file} is ${chunks.length} modules, not one.`);
    texts[file] = chunks[0].code;
  }
  return texts;
}

/** Where the built page has the player. */
export const PLAYER_FOLDER = 'player';

/** The player of the built page, built now where a source is newer. @returns its modules by file name */
export async function playerModules(): Promise<Record<string, string>> {
  const folder = join(root, 'dist', PLAYER_FOLDER);
  const paths = Object.keys(ENTRIES).map((name) => join(folder, name));
  if (!paths.every((path) => existsSync(path) && isFresh(path))) {
    const texts = await buildPlayer();
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  }
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  return Object.fromEntries(Object.keys(ENTRIES).map((name, i) => [name, texts[i]]));
}
