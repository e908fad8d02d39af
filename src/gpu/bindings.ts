/**
 * Resolves a dispatch's bindings, which are keyed by variable names, to the numbers that the assembled WGSL
 * declares.
 */
import type { BufferReference, Dispatch } from './dispatch.ts';

/** One storage buffer of group 0, as an assembled shader declares it. */
export interface BindingDeclaration {
  /** Name of the WGSL variable. */
  name: string;
  binding: number;
  access: 'read' | 'read_write';
}

export interface ResolvedBinding extends BindingDeclaration {
  reference: BufferReference;
}

const DECLARATION = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read_write|read)>\s*(\w+)/g;

/**
 * The storage buffers of an assembled shader, from its `@group(0) @binding(n) var<storage, …> name` lines.
 */
export function declaredBindings(code: string): BindingDeclaration[] {
  return [...code.matchAll(DECLARATION)].map(([, binding, access, name]) => ({
    name,
    binding: Number(binding),
    access: access as BindingDeclaration['access'],
  }));
}

/**
 * Gives each buffer of a dispatch the binding of its variable. @returns in the order of the binding numbers
 * @throws where the dispatch binds a name that the shader does not declare, leaves a declared one out, or
 * lets the shader write to frozen weights
 */
export function resolveBindings(
  { shader, bindings }: Pick<Dispatch, 'shader' | 'bindings'>,
  declared: readonly BindingDeclaration[],
): ResolvedBinding[] {
  const names = new Set(declared.map(({ name }) => name));
  const unknown = Object.keys(bindings).filter((name) => !names.has(name));
  const missing = [...names].filter((name) => !(name in bindings));
  if (unknown.length > 0 || missing.length > 0)
    throw new Error(
      `${shader}.wgsl: ` +
        [
          unknown.length > 0 && `the dispatch binds ${unknown.join(', ')}, which the shader does not declare`,
          missing.length > 0 && `the shader declares ${missing.join(', ')}, which the dispatch does not bind`,
        ]
          .filter(Boolean)
          .join('; '),
    );
  return declared
    .map((declaration) => ({ ...declaration, reference: bindings[declaration.name] }))
    .sort((a, b) => a.binding - b.binding)
    .map((resolved) => {
      const { type } = resolved.reference;
      if (resolved.access === 'read_write' && type !== 'value' && type !== 'scratch')
        throw new Error(`${shader}.wgsl declares ${resolved.name} read_write, but the buffer is frozen`);
      return resolved;
    });
}
