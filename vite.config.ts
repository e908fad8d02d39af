import { svelte } from '@sveltejs/vite-plugin-svelte';
import { VitePWA } from 'vite-plugin-pwa';
import { defineConfig, type Plugin } from 'vite';

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
