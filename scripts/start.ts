/**
 * `npm start [-- --port N --no-open]`: builds the page, serves it on loopback, prints its address and opens
 * it where there is a screen. The browser keeps models by address, so the port stays the same as long as it
 * is free.
 */
import { parseArgs } from 'node:util';
import open from 'open';
import { buildSite, serveSite } from './lib/site.ts';

const PORT = 4790;

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { port: { type: 'string', default: `${PORT}` }, 'no-open': { type: 'boolean', default: false } },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error(`--port is ${values.port}: write a number from 0 (any free one) to 65535.`);
  console.log('Building the page…');
  await buildSite();
  const site = await serveSite(port);
  console.log(
    `\nFinetab is at ${site.url}\nOpen it in a current Chrome, Edge or Safari. Nothing leaves this machine. Ctrl+C ends it.`,
  );
  if (!values['no-open'] && hasScreen()) {
    const opened = await open(site.url).catch(() => null);
    opened?.on('error', () => console.log('No browser could be opened from here: open the address by hand.'));
  }
  await new Promise((resolve) => process.once('SIGINT', resolve));
  await site.close();
  return 0;
}

/** Whether a person sits before a screen: not in CI, not over a connection without one. */
function hasScreen(): boolean {
  const { env, platform } = process;
  if (env.CI || !process.stdout.isTTY) return false;
  return platform !== 'linux' || Boolean(env.DISPLAY ?? env.WAYLAND_DISPLAY);
}
