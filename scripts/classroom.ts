/**
 * `npm run classroom -- class.finetab [--port P] [--out DIR] [--loopback]`: serves the page and a bundle to
 * the local network by HTTPS, without the internet.
 *   --port P     4791 where it is absent; browsers keep models by address, so keep it the same
 *   --out DIR    where the adapters that students send are kept; they are removed at the end where it is
 * absent
 *   --loopback   this computer alone, to try it out
 */
import { randomInt, randomBytes } from 'node:crypto';
import { existsSync, openAsBlob } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderSVG, renderUnicodeCompact } from 'uqr';
import { Bundle, blobSource } from '../src/formats/bundle/readBundle.ts';
import { UserError } from '../src/lib/errors.ts';
import { lanAddresses, ownHosts } from './classroom/addresses.ts';
import { certificateFor } from './classroom/certificate.ts';
import { startClassServer } from './classroom/server.ts';
import { ClassSession } from './classroom/session.ts';
import { buildSite, root } from './lib/site.ts';

const PORT = 4791;
/** Without letters and digits that look alike. */
const LETTERS = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';

export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      port: { type: 'string', default: `${PORT}` },
      out: { type: 'string' },
      loopback: { type: 'boolean', default: false },
    },
  });
  const [bundle] = positionals;
  if (!bundle) {
    console.error('usage: npm run classroom -- class.finetab [--port P] [--out DIR] [--loopback]');
    return 2;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new UserError(`--port is ${values.port}: write a number from 0 (any free one) to 65535.`);
  if (!existsSync(bundle)) throw new UserError(`There is no ${bundle}. npm run bundle makes one.`);
  const { manifest } = await Bundle.open(blobSource(await openAsBlob(bundle), basename(bundle)));
  await buildSite();
  const addresses = values.loopback ? [] : lanAddresses();
  const hosts = ownHosts(addresses);
  const certificate = await certificateFor(join(homedir(), '.finetab'), hosts);
  const adapters = values.out ?? (await mkdtemp(join(tmpdir(), 'finetab-class-')));
  await mkdir(adapters, { recursive: true });
  const code = Array.from({ length: 6 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  const secret = randomBytes(18).toString('base64url');
  const at = (host: string, bound: number) => `https://${host}:${bound}/`;
  const first = addresses[0] ?? 'localhost';
  const session = new ClassSession(manifest.title, at(first, port), code);
  const server = await startClassServer({
    site: join(root, 'dist'),
    bundle,
    session,
    secret,
    certificate,
    hosts,
    port,
    bind: values.loopback ? '127.0.0.1' : undefined,
    adapters,
    qrSvg: () => renderSVG(`${session.address}?class=${code}`),
  });
  session.address = at(first, server.port);
  const address = `${session.address}?class=${code}`;
  console.log(`\n${manifest.title}: ${manifest.model.name}, ${manifest.data.length} data files\n`);
  console.log(renderUnicodeCompact(address));
  console.log(`\nStudents   ${address}`);
  for (const address of addresses.slice(1))
    console.log(`or         ${at(address, server.port)}?class=${code}`);
  console.log(`Code       ${code}`);
  console.log(
    `Board      https://localhost:${server.port}/board#${secret}   (keep this address to yourself)`,
  );
  console.log(`\n${WARNING}\nSHA-256 of the certificate: ${certificate.fingerprint}\n`);
  if (addresses.length === 0 && !values.loopback)
    console.log('This computer is in no network: only its own browsers reach the class.');
  console.log('Ctrl+C ends the class.');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await server.close();
  if (values.out === undefined) await rm(adapters, { recursive: true, force: true });
  return 0;
}

const WARNING = `Each browser asks once whether to trust this computer, since its certificate is its own work:
  Chrome, Edge   Advanced, then Proceed to … (unsafe)
  ChromeOS       the same; a managed device may forbid it: ask whoever manages it
  Safari         Show Details, then visit this website, then Visit Website
  Firefox        Advanced, then Accept the Risk and Continue
A browser that shows another certificate than the one below talks to somebody else.`;
