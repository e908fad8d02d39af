/**
 * Graphics cards of this machine, as its kernel lists them: who computes on a software adapter while there is
 * one is told so.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** PCI vendors that make GPUs; the cards of virtual machines (virtio, VMware, QEMU) compute nothing. */
const VENDORS: ReadonlyMap<string, string> = new Map([
  ['0x10de', 'NVIDIA'],
  ['0x1002', 'AMD'],
  ['0x8086', 'Intel'],
]);

/**
 * Who made the graphics cards of a Linux machine. Empty on other systems, whose browsers find their card by
 * themselves.
 * @param root of the file system
 */
export function graphicsCards(root = '/'): string[] {
  const cards = join(root, 'sys/class/drm');
  const found = new Set<string>();
  // In a container the drivers of NVIDIA make these, and /sys/class/drm may be empty.
  if (existsSync(join(root, 'dev/nvidia0'))) found.add('NVIDIA');
  for (const card of existsSync(cards) ? readdirSync(cards) : []) {
    const vendorFile = join(cards, card, 'device/vendor');
    const vendor = existsSync(vendorFile) ? VENDORS.get(readFileSync(vendorFile, 'utf8').trim()) : undefined;
    if (vendor) found.add(vendor);
  }
  return [...found].sort();
}

/**
 * What to say before anything else where the adapter is the processor though this machine has a graphics
 * card; null where it has none, or where FINETAB_SOFTWARE asks for the processor.
 */
export function softwareNotice(cards = graphicsCards()): string | null {
  if (cards.length === 0 || process.env.FINETAB_SOFTWARE) return null;
  return (
    `This machine has a graphics card (${cards.join(', ')}), but what follows runs on the processor, 10 to ` +
    '1,000 times slower: WebGPU found no driver for the card. Install one with Vulkan (the NVIDIA driver with ' +
    'its Vulkan files, or mesa-vulkan-drivers), see that `vulkaninfo --summary` lists the card, and that this ' +
    'user may open /dev/dri/renderD* or /dev/nvidia*. `npm run doctor` shows what was found.'
  );
}
