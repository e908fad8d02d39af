/** What a parser made of one generated input. */

export interface Outcome {
  kind: 'accepted' | 'refused' | 'crashed' | 'slow' | 'large';
  /** Of a crash: name and message without what differs from input to input. */
  signature: string;
  /** Of the processor, so that other programs of a busy machine do not count. */
  ms: number;
}

export const SLOW_MS = 2000;
export const LARGE_BYTES = 512 * 1024 * 1024;

/** Runs a parser; any error but the project's own is a crash. */
export async function classify(run: () => Promise<void> | void): Promise<Outcome> {
  const before = process.cpuUsage();
  const held = memory();
  let kind: Outcome['kind'] = 'accepted';
  let signature = '';
  try {
    await run();
  } catch (error) {
    const isOwn =
      error instanceof Error && /^(UserError|TemplateLimitError|ChangedFileError)$/.test(error.name);
    kind = isOwn ? 'refused' : 'crashed';
    if (!isOwn) signature = signatureOf(error);
  }
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000;
  if (kind !== 'crashed' && ms > SLOW_MS) return { kind: 'slow', signature: 'slow', ms };
  if (kind !== 'crashed' && memory() - held > LARGE_BYTES) return { kind: 'large', signature: 'large', ms };
  return { kind, signature, ms };
}

function memory(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

function signatureOf(error: unknown): string {
  if (!(error instanceof Error)) return `not an Error: ${String(error)}`;
  const place = error.stack?.split('\n').find((line) => /\/(src|node_modules)\//.test(line)) ?? '';
  const where = /(src|node_modules)\/[^:)?]+/.exec(place)?.[0] ?? '';
  return `${error.name}: ${error.message.replace(/[\d.]+|"[^"]*"/g, '…').slice(0, 100)} (${where})`;
}
