// Runs a TypeScript entry of the project in Node: `node scripts/run.mjs [--gpu] scripts/reference.ts
// ARGUMENTS…`. Vite resolves the imports (TypeScript, `?raw` shaders) exactly as it does for the page. With
// --gpu the entry gets an environment in which Dawn finds an adapter.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { installPackages, root } from './lib/install.mjs';

const wantsGpu = process.argv[2] === '--gpu';
const [entry, ...rest] = process.argv.slice(wantsGpu ? 3 : 2);
if (!entry) {
  console.error('usage: node scripts/run.mjs [--gpu] ENTRY.ts [ARGUMENTS…]');
  process.exit(2);
}
installPackages();
if (wantsGpu) {
  const { gpuEnvironment } = await import('./lib/gpuEnvironment.mjs');
  const env = gpuEnvironment();
  if (env && env !== process.env)
    process.exit(
      spawnSync(process.execPath, [process.argv[1], entry, ...rest], { env, stdio: 'inherit' }).status ?? 1,
    );
}
// TensorFlow.js's Node platform, an ES module here, still calls require.
globalThis.require = createRequire(import.meta.url);
const { createServer } = await import('vite');
const server = await createServer({
  configFile: `${root}vite.config.ts`,
  root,
  server: { middlewareMode: true, watch: null, hmr: false, ws: false },
  appType: 'custom',
  logLevel: 'error',
  // Its gradient registrations are ES modules without file endings, which Node itself cannot resolve.
  ssr: { noExternal: [/^@tensorflow\//], resolve: { mainFields: ['module', 'main'] } },
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
