// Runs a TypeScript entry of the project in Node: `node scripts/run.mjs scripts/reference.ts ARGS…`.
// Vite resolves the imports (TypeScript, `?raw` shaders) exactly as it does for the page.
import { createServer } from 'vite';

const [entry, ...rest] = process.argv.slice(2);
if (!entry) {
  console.error('usage: node scripts/run.mjs ENTRY.ts [ARGUMENTS…]');
  process.exit(2);
}
const server = await createServer({
  configFile: new URL('../vite.config.ts', import.meta.url).pathname,
  root: new URL('..', import.meta.url).pathname,
  server: { middlewareMode: true, watch: null, hmr: false, ws: false },
  appType: 'custom',
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true, include: [] },
});
let code = 1;
try {
  const { main } = await server.ssrLoadModule(`/${entry}`);
  code = (await main(rest)) ?? 0;
} catch (error) {
  console.error(process.env.DEBUG ? error : `${error?.message ?? error}`);
} finally {
  await server.close();
}
process.exit(code);
