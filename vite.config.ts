import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { VitePWA } from 'vite-plugin-pwa';
import { defineConfig, type Plugin } from 'vite';

/** Of a built file, as Subresource Integrity writes it. */
async function integrityOf(path: string): Promise<string> {
  const bytes = await readFile(new URL(`dist/${path}`, import.meta.url));
  return `sha384-${createHash('sha384').update(bytes).digest('base64')}`;
}

/** Keeps the whole page and the demo on the first visit, so that both work without a network. A new version waits until every tab of the old one is closed: a run is never cut off. */
const offline = VitePWA({
  registerType: 'prompt',
  injectRegister: 'script-defer',
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
    globPatterns: ['**/*.{html,js,css,svg,webmanifest}', 'demo/*.{json,jsonl,safetensors}'],
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

/** While developing, the page also connects to Vite's own socket. */
const socket: Plugin = {
  name: 'development-socket',
  apply: 'serve',
  transformIndexHtml: (html, { server }) =>
    server ? html.replace("connect-src 'self'", "connect-src 'self' ws:") : html,
};

export default defineConfig({
  base: './',
  plugins: [svelte(), offline, socket],
  worker: { format: 'es' },
  build: { target: 'es2023', chunkSizeWarningLimit: 1200 },
});
