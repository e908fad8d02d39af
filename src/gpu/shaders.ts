/** The kernels by name, and the complete WGSL of one for a set of constants. */
import type { ShaderConstant } from './dispatch.ts';
import { expand, MODULE_DIRECTIVE, parse, type Constants, type ParsedFile } from './preprocessor.ts';

const files = import.meta.glob<string>('../../shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

const ROOT = '../../shaders/';

/** Every file's text by its path from shaders/. */
const texts = new Map(Object.entries(files).map(([path, text]) => [path.slice(ROOT.length), text]));

/** Path of each kernel by its name, the file's without folder and .wgsl; lib/ holds what kernels share. */
const kernels = new Map<string, string>();
for (const path of texts.keys()) {
  if (path.startsWith('lib/')) continue;
  const name = path.slice(path.lastIndexOf('/') + 1, -'.wgsl'.length);
  if (kernels.has(name)) throw new Error(`two shaders are named ${name}`);
  kernels.set(name, path);
}

const parsed = new Map<string, ParsedFile>();

function find(path: string): ParsedFile | undefined {
  let file = parsed.get(path);
  const text = texts.get(path);
  if (!file && text !== undefined) parsed.set(path, (file = parse(path, text)));
  return file;
}

/** Every file's path and text, sorted by path. */
export function shaderSources(): [path: string, text: string][] {
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * The complete WGSL of a kernel: `enable` and `diagnostic` lines, a `const` for each number and boolean, then
 * the file as the preprocessor expands it for these constants. Strings are for `#if` only.
 * @param name of a file of shaders/ (not of shaders/lib/), without folder and .wgsl
 * @throws Error where the kernel does not exist, or a constant is missing or of the wrong type
 */
export function assembleShader(name: string, constants: Constants): string {
  const path = kernels.get(name);
  if (path === undefined) throw new Error(`there is no shader ${name}.wgsl`);
  const directives: string[] = [];
  const body: string[] = [];
  for (const piece of expand(find(path)!, constants, find))
    (MODULE_DIRECTIVE.test(piece) ? directives : body).push(piece);
  const header = Object.entries(constants).flatMap(([key, constant]) => declaration(name, key, constant));
  return [...directives, ...header, ...body].join('\n');
}

function declaration(shader: string, name: string, constant: ShaderConstant): string[] {
  if (typeof constant === 'string') return [];
  if (typeof constant === 'boolean') return [`const ${name}: bool = ${constant};`];
  if (typeof constant === 'object') return [`const ${name}: f32 = ${floatLiteral(constant.f32)};`];
  if (!Number.isInteger(constant) || constant < 0 || constant > 0xffffffff)
    throw new Error(`${shader}: constant ${name} = ${constant} is not a u32`);
  return [`const ${name}: u32 = ${constant}u;`];
}

function floatLiteral(number: number): string {
  const rounded = Math.fround(number);
  if (!Number.isFinite(rounded)) throw new Error(`${number} has no f32 literal`);
  const text = rounded.toString();
  return `${/[.e]/.test(text) ? text : `${text}.0`}f`;
}
