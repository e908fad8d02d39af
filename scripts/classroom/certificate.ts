/**
 * A certificate for this computer's addresses in the local network, signed by itself: WebGPU needs HTTPS,
 * and no authority certifies such addresses. It is kept for the next lesson, so that a browser asks once.
 */
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificate {
  key: string;
  cert: string;
  /** SHA-256, as browsers show it. */
  fingerprint: string;
}

const DAYS = 90;
const DAY_MS = 86_400_000;

/** @param folder where it is kept, readable by its owner alone @param hosts names and addresses */
export async function certificateFor(folder: string, hosts: readonly string[]): Promise<Certificate> {
  const path = join(folder, 'classroom.pem');
  const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (kept !== null && isGoodFor(kept, hosts)) return certificateOf(kept);
  const made = await generate([{ name: 'commonName', value: 'Finetab classroom' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: hosts.map((host) => (isAddress(host) ? { type: 7, ip: host } : { type: 2, value: host })),
      },
    ],
  });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const text = `${made.private.trim()}\n${made.cert.trim()}\n`;
  await writeFile(path, text, { mode: 0o600 });
  return certificateOf(text);
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':');
}

function isGoodFor(text: string, hosts: readonly string[]): boolean {
  const certificate = new X509Certificate(certificateOf(text).cert);
  const isFresh = Date.parse(certificate.validTo) - Date.now() > DAY_MS;
  return (
    isFresh &&
    hosts.every((host) =>
      isAddress(host) ? certificate.checkIP(host) !== undefined : certificate.checkHost(host) !== undefined,
    )
  );
}

function certificateOf(text: string): Certificate {
  const at = text.indexOf('-----BEGIN CERTIFICATE');
  const cert = text.slice(at);
  return { key: text.slice(0, at), cert, fingerprint: new X509Certificate(cert).fingerprint256 };
}
