/** Names and addresses of this computer in the local network. */
import { hostname, networkInterfaces } from 'node:os';

/** IPv4 addresses that others in the network can reach, private ones first. */
export function lanAddresses(): string[] {
  const found = Object.values(networkInterfaces())
    .flat()
    .filter((each) => each !== undefined && each.family === 'IPv4' && !each.internal)
    .map((each) => each!.address)
    // What an interface gives itself where no network answered.
    .filter((address) => !address.startsWith('169.254.'));
  const isPrivate = (address: string) => /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(address);
  return [...found.filter(isPrivate), ...found.filter((address) => !isPrivate(address))];
}

/** What the server answers for: its addresses, its name, and this computer itself. */
export function ownHosts(addresses: readonly string[]): string[] {
  const name = hostname().toLowerCase();
  const names = /^[a-z0-9-]+$/.test(name) ? [name, `${name}.local`] : [];
  return [...new Set([...addresses, ...names, 'localhost', '127.0.0.1'])];
}
