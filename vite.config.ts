import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { VitePWA } from 'vite-plugin-pwa';
import { defineConfig, type Plugin } from 'vite';
import { buildPlayer, compactShaders, PLAYER_FOLDER } from './scripts/lib/playerBuild.ts';

/** Of a built file, as Subresource Integrity writes it. */
async function integrityOf(path: string): Promise<string> {
  const bytes = await readFile(new URL(`dist/${path}`, import.meta.url));
  return `sha384-${createHash('sha384').update(bytes).digest('base64')}`;
}

/**
 * hyparquet writes runs of equal values as long as a file claims them, beyond the page that they are part of: one
 * changed byte ends the whole process. Runs end with their page here.
 */
export const boundedParquet: Plugin = {
  name: 'bounded-parquet',
  transform(code, id) {
    if (!/hyparquet\/src\/encoding\.js/.test(id)) return null;
    const bounds = [
      [
        'for (let i = 0; i < count; i++) {\n    output[',
        'for (let i = 0; i < count && seen + i < output.length; i++) {\n    output[',
      ],
      [
        'let count = header >> 1 << 3',
        'let count = Math.min(header >> 1 << 3, output.length - seen + 7 & ~7)',
      ],
    ];
    for (const [before, after] of bounds) {
      if (!code.includes(before))
        throw new Error('hyparquet changed: look whether its runs are bounded now.');
      code = code.replace(before, after);
    }
    return { code, map: null };
  },
};

/** A notice as TensorFlow.js has one in each of its files, as the minifier leaves it. */
const NOTICE = /\/\*\*\n ?\* @license\n(?: ?\*[^\n]*\n)* ?\*\/\n?/g;

/** Of notices that are the same, each file of the page keeps one: they are 25 kB of what is downloaded. */
const noticesOnce: Plugin = {
  name: 'notices-once',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      const seen = new Set<string>();
      chunk.code = chunk.code.replace(NOTICE, (notice) => {
        if (seen.has(notice.trim())) return '';
        seen.add(notice.trim());
        return notice;
      });
    }
  },
};

/** Keeps the whole page and the demo on the first visit, so that both work without a network. A new version waits until every tab of the old one is closed: a run is never cut off. */
const offline = VitePWA({
  registerType: 'prompt',
  // By src/page/offline.ts, which says why where a browser refuses.
  injectRegister: null,
  manifest: {
    name: 'Finetab',
    short_name: 'Finetab',
    description: "Fine-tunes language models in a browser tab, on this computer's graphics card.",
    icons: [{ src: 'favicon.svg', sizes: 'any', type: 'image/svg+xml' }],
    start_url: './',
    scope: './',
    display: 'standalone',
  },
  workbox: {
    mode: 'production',
    // A second script would be loaded by its address, which Trusted Types forbid.
    inlineWorkboxRuntime: true,
    globPatterns: ['**/*.{html,js,css,svg,webmanifest,wasm}', 'demo/*.{json,jsonl,safetensors,md}'],
    // Handed out, never run here.
    globIgnores: ['player/**'],
    maximumFileSizeToCacheInBytes: 8 * 1024 * 1024,
    // A host may answer index.html for a file that is missing: with its hash in the list, the installation fails
    // and is tried again, and the page is never kept as a script.
    manifestTransforms: [
      async (entries) => ({
        manifest: await Promise.all(
          entries.map(async (entry) =>
            entry.url.endsWith('.html') ? entry : { ...entry, integrity: await integrityOf(entry.url) },
          ),
        ),
        warnings: [],
      }),
    ],
  },
});

/** finetab-player, which the page hands out and never runs: files of their own beside it. */
const player: Plugin = {
  name: 'finetab-player',
  async generateBundle() {
    for (const [name, source] of Object.entries(await buildPlayer()))
      this.emitFile({ type: 'asset', fileName: `${PLAYER_FOLDER}/${name}`, source });
  },
  configureServer({ middlewares }) {
    let built: ReturnType<typeof buildPlayer> | undefined;
    middlewares.use(`/${PLAYER_FOLDER}/`, (request, response, next) => {
      built ??= buildPlayer();
      built.then((texts) => {
        const text = texts[request.url?.slice(1) ?? ''];
        if (text === undefined) return next();
        response.setHeader('content-type', 'text/javascript');
        response.end(text);
      }, next);
    });
  },
};

/** While developing, the page also connects to Vite's own socket, and Vite shows errors as markup. */
const socket: Plugin = {
  name: 'development-socket',
  apply: 'serve',
  transformIndexHtml: (html, { server }) =>
    server
      ? html
          .replace("connect-src 'self'", "connect-src 'self' ws:")
          .replace(/; require-trusted-types-for [^"]*/, '')
      : html,
};

/** Of workers too, which are bundled apart. */
const inBundles = [boundedParquet, noticesOnce, compactShaders(() => false)];

export default defineConfig({
  base: './',
  plugins: [svelte(), player, offline, socket, ...inBundles],
  worker: { format: 'es', plugins: () => inBundles },
  ssr: { noExternal: ['hyparquet'] },
  build: { target: 'es2023', chunkSizeWarningLimit: 1200 },
});
