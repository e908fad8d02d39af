/** Functions that run inside the page, as text: they may use nothing from outside themselves. */

/** Bytes of what each store of IndexedDB holds: array buffers and texts, numbers as 8. */
export type StoredBytes = Record<string, number>;

/**
 * Counts the bytes of GPU buffers in every worker that the page starts: a blob that starts a worker gets a
 * first line that counts.
 */
export function countBuffers(): void {
  const counting = `
    globalThis.soakGpuBytes = 0;
    if (globalThis.GPUDevice) {
      const { createBuffer } = GPUDevice.prototype;
      const { destroy } = GPUBuffer.prototype;
      const alive = new Set();
      GPUDevice.prototype.createBuffer = function (descriptor) {
        const buffer = createBuffer.call(this, descriptor);
        alive.add(buffer);
        globalThis.soakGpuBytes += buffer.size;
        return buffer;
      };
      GPUBuffer.prototype.destroy = function () {
        if (alive.delete(this)) globalThis.soakGpuBytes -= this.size;
        return destroy.call(this);
      };
    }
    export {};`;
  const module = new URL(URL.createObjectURL(new Blob([counting], { type: 'text/javascript' }))).href;
  const Original = globalThis.Blob;
  globalThis.Blob = class extends Original {
    constructor(parts: BlobPart[] = [], options: BlobPropertyBag = {}) {
      const [only] = parts;
      const isWorker =
        parts.length === 1 && typeof only === 'string' && /^import "[^"]*\.worker[^"]*";$/.test(only);
      super(isWorker ? [`import ${JSON.stringify(module)};`, ...parts] : parts, options);
    }
  };
}

export async function heldByStore(): Promise<StoredBytes> {
  const sizeOf = (value: unknown): number => {
    if (typeof value === 'string') return value.length;
    if (typeof value !== 'object' || value === null) return 8;
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    return entries.reduce((sum, [key, inner]) => sum + sizeOf(key) + sizeOf(inner), 0);
  };
  const settled = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error!);
    });
  const database = await settled(indexedDB.open('finetab'));
  const held: StoredBytes = {};
  for (const name of database.objectStoreNames) {
    const store = database.transaction(name).objectStore(name);
    held[name] = (await settled(store.getAll())).reduce((sum: number, value) => sum + sizeOf(value), 0);
  }
  database.close();
  return held;
}
