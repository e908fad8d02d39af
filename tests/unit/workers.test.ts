import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '../../src/worker');
const workers = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.worker.ts'),
);

describe('a worker', () => {
  it('is one of these', () => {
    expect(workers.length).toBeGreaterThan(4);
  });

  // A worker that does not is waited for in vain at the end of every run, and its end and errors go
  // unnoticed.
  it.each(workers)('is served so that the page notices its end, its errors and its requests: %s', (name) => {
    expect(readFileSync(join(folder, name), 'utf8')).toMatch(/^serveWorker\(.+\);$/m);
  });
});
