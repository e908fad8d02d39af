/** Who computes on the processor while a graphics card is in the machine is told so. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { graphicsCards, softwareNotice } from '../../scripts/lib/graphicsCards.ts';

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'finetab-cards-'))));
afterEach(() => rmSync(root, { recursive: true }));

function card(name: string, vendor: string): void {
  mkdirSync(join(root, 'sys/class/drm', name, 'device'), { recursive: true });
  writeFileSync(join(root, 'sys/class/drm', name, 'device/vendor'), `${vendor}\n`);
}

it('finds cards by the vendor that the kernel lists, once each', () => {
  card('card0', '0x1002');
  card('renderD128', '0x1002');
  card('card1', '0x8086');
  mkdirSync(join(root, 'sys/class/drm/card0-HDMI-A-1'), { recursive: true });
  expect(graphicsCards(root)).toEqual(['AMD', 'Intel']);
});

it('finds a card that a container has by its device file only', () => {
  mkdirSync(join(root, 'dev'));
  writeFileSync(join(root, 'dev/nvidia0'), '');
  expect(graphicsCards(root)).toEqual(['NVIDIA']);
});

it('takes the cards of virtual machines for none', () => {
  card('card0', '0x1af4');
  card('card1', '0x1234');
  expect(graphicsCards(root)).toEqual([]);
  expect(softwareNotice([])).toBeNull();
});

it('names the card and what to do', () => {
  const notice = softwareNotice(['NVIDIA']);
  expect(notice).toMatch(/graphics card \(NVIDIA\)/);
  expect(notice).toMatch(/npm run doctor/);
});
