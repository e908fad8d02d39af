/**
 * Starts a worker under the page's own content security policy. A worker with a script of its own obeys the
 * policy that comes with that script, which is none on a host that sends no headers; a worker that is started
 * from a blob inherits the policy of whoever started it. So a blob that does nothing but import the script is
 * what is started.
 */
const blobs = new Map<string, string>();

/** @param script its address, as Vite's `?worker&url` gives it @param name of the worker */
export function spawnWorker(script: string, name: string): Worker {
  const address = new URL(script, import.meta.url).href;
  let blob = blobs.get(address);
  if (blob === undefined) {
    const source = `import ${JSON.stringify(address)};`;
    blob = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    blobs.set(address, blob);
  }
  // The fragment shows whose worker it is, in a browser's tools.
  return new Worker(trustedScriptUrl(`${blob}#${new URL(address).pathname}`), { type: 'module', name });
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/**
 * The page's policy requires Trusted Types: a worker starts only from an address that a named policy made.
 * @param url of a script of the project's own
 */
export function trustedScriptUrl(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy('finetab', { createScriptURL: (address) => address });
  return policy?.createScriptURL(url) ?? url;
}
