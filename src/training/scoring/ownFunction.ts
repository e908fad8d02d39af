/**
 * Runs a person's own JavaScript, `(answer, reference, row) => number`, in QuickJS compiled to WebAssembly:
 * an interpreter that has no page, no network and no clock, and that can be interrupted. Every call gets an
 * interpreter of its own, so that no call sees what another one did.
 */
import variant from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  shouldInterruptAfterDeadline,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { CALL_LIMITS, tookTooLong } from './callLimits.ts';

/** What a function is given. */
export interface ScoredText {
  answer: string;
  /** null where the row has none. */
  reference: string | null;
  /** The record of the data file, as JSON has it. */
  row: unknown;
}

/** Why a person's function gave no number: a sentence that follows its name. */
export class OwnFunctionError extends Error {
  override name = 'OwnFunctionError';
}

/** What the language offers that would give another number each time. */
const PRELUDE = `Math.random = () => {
  throw new TypeError('Math.random would give the same recipe another result each time');
};`;

/** Names of browsers and of Node that people look for. */
const ABSENT_NAMES = [
  ...['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'navigator', 'importScripts', 'Worker'],
  ...['document', 'window', 'self', 'postMessage', 'indexedDB', 'localStorage', 'caches'],
  ...['process', 'require', 'console', 'setTimeout', 'setInterval', 'queueMicrotask'],
  ...['Date', 'performance', 'crypto', 'WebAssembly', 'SharedArrayBuffer'],
];
const ABSENT = new RegExp(`'?(${ABSENT_NAMES.join('|')})'? is not defined`);

const TOO_DEEP = 'calls itself too deeply';

let loaded: Promise<QuickJSWASMModule> | null = null;

/**
 * @returns the number, 0 or 1 for a boolean; null where the function gives null: no score
 * @throws OwnFunctionError where it does not compile, throws, gives no number or exceeds a limit
 */
export async function callOwnFunction(
  code: string,
  { answer, reference, row }: ScoredText,
  limits: { milliseconds: number } = CALL_LIMITS,
): Promise<number | null> {
  const runtime = (await (loaded ??= load())).newRuntime();
  runtime.setMaxStackSize(CALL_LIMITS.stackBytes);
  const deadline = Date.now() + limits.milliseconds;
  runtime.setInterruptHandler(shouldInterruptAfterDeadline(deadline));
  const context = runtime.newContext({
    intrinsics: {
      BaseObjects: true,
      Eval: true,
      StringNormalize: true,
      RegExp: true,
      RegExpCompiler: true,
      JSON: true,
      Proxy: true,
      MapSet: true,
      TypedArrays: true,
      BigInt: true,
      BigFloat: false,
      Date: false,
      Promise: true,
    },
  });
  const handles: QuickJSHandle[] = [];
  const held = (handle: QuickJSHandle) => {
    handles.push(handle);
    return handle;
  };
  const evaluated = (source: string) => {
    const result = context.evalCode(source, 'function.js', { strict: true });
    if (result.error) throw failure(context, held(result.error), limits, deadline);
    return held(result.value);
  };
  try {
    evaluated(PRELUDE);
    const own = functionOf(context, code, evaluated);
    const given = [
      held(context.newString(answer)),
      reference === null ? context.null : held(context.newString(reference)),
      evaluated(`(${JSON.stringify(row ?? null)})`),
    ];
    const result = context.callFunction(own, context.undefined, ...given);
    if (result.error) throw failure(context, held(result.error), limits, deadline);
    return numberOf(context, held(result.value));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Some C functions of the interpreter do not count their depth. What overflowed is the stack of this
    // thread; the interpreter is left half way, and the next call gets a new one.
    loaded = null;
    throw new OwnFunctionError(TOO_DEEP);
  } finally {
    for (const handle of handles) if (handle.alive) handle.dispose();
    release(runtime, context);
  }
}

/**
 * A function that ran out of stack or memory can leave values behind, on which the interpreter aborts when it
 * is freed: the next call gets a new one.
 */
function release(...parts: { dispose(): void }[]): void {
  try {
    for (const part of parts.reverse()) part.dispose();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    loaded = null;
  }
}

/** The interpreter in a memory of its own, whose most pages are its limit: it counts no bytes itself. */
function load(): Promise<QuickJSWASMModule> {
  const page = 2 ** 16;
  const wasmMemory = new WebAssembly.Memory({
    initial: 2 ** 24 / page,
    maximum: CALL_LIMITS.memoryBytes / page,
  });
  return newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmMemory }));
}

/** The code is an expression that is a function, or statements of which the last one is. */
function functionOf(
  context: QuickJSContext,
  code: string,
  evaluated: (source: string) => QuickJSHandle,
): QuickJSHandle {
  let made: QuickJSHandle;
  try {
    made = evaluated(`(${code}\n)`);
  } catch (error) {
    if (!(error instanceof OwnFunctionError) || !error.message.includes('SyntaxError')) throw error;
    made = evaluated(code);
  }
  if (context.typeof(made) !== 'function')
    throw new OwnFunctionError(
      `is no function but ${context.typeof(made)}: write (answer, reference, row) => a number`,
    );
  return made;
}

function numberOf(context: QuickJSContext, value: QuickJSHandle): number | null {
  const type = context.typeof(value);
  if (type === 'boolean') return context.eq(value, context.true) ? 1 : 0;
  if (type === 'number') {
    const number = context.getNumber(value);
    if (Number.isFinite(number)) return number;
    throw new OwnFunctionError(`gave ${number}: it must give a finite number, or null for no score`);
  }
  if (context.eq(value, context.null)) return null;
  if (isPromise(context, value))
    throw new OwnFunctionError(
      'gave a promise: nothing is waited for. Give the number itself, without async',
    );
  throw new OwnFunctionError(`gave ${type}: it must give a number, true, false, or null for no score`);
}

function isPromise(context: QuickJSContext, value: QuickJSHandle): boolean {
  const state = context.getPromiseState(value);
  if (state.type === 'fulfilled') {
    if (!state.notAPromise) state.value.dispose();
    return !state.notAPromise;
  }
  if (state.type === 'rejected') state.error.dispose();
  return true;
}

function failure(
  context: QuickJSContext,
  error: QuickJSHandle,
  { milliseconds }: { milliseconds: number },
  deadline: number,
): OwnFunctionError {
  const { name, message } = described(context, error);
  if (message === 'out of memory')
    return new OwnFunctionError(`asked for more than ${CALL_LIMITS.memoryBytes / 2 ** 20} MiB of memory`);
  if (Date.now() >= deadline) return new OwnFunctionError(tookTooLong(milliseconds));
  if (/stack overflow/.test(message)) return new OwnFunctionError(TOO_DEEP);
  const absent = ABSENT.exec(message);
  return new OwnFunctionError(
    absent
      ? `uses ${absent[1]}, which there is not: a function sees its answer, its reference and its row, and neither network, page nor clock`
      : `threw ${name}: ${message}`,
  );
}

/** What was thrown, without running more of it than the interpreter interrupts. */
function described(context: QuickJSContext, error: QuickJSHandle): { name: string; message: string } {
  const dumped: unknown = context.dump(error);
  if (typeof dumped === 'object' && dumped !== null && 'message' in dumped) {
    const { name, message } = dumped as { name?: unknown; message: unknown };
    return { name: textOf(name).slice(0, 60), message: textOf(message).slice(0, 300) };
  }
  return { name: 'a value', message: String(JSON.stringify(dumped)).slice(0, 300) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'an error');
}
