// The environment in which Dawn finds an adapter in Node: the system's own, else the software adapter in
// Chromium's folder (Linux).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { root } from './install.mjs';

const PROBE = `
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create((process.env.FINETAB_DAWN ?? '').split(';').filter(Boolean));
  const adapter = await gpu.requestAdapter();
  process.exit(adapter && process.argv.slice(1).every((feature) => adapter.features.has(feature)) ? 0 : 3);
`;

/** Whether Dawn finds an adapter in this environment, with every one of these features. */
export function findsAdapter(env, features = []) {
  return (
    spawnSync(process.execPath, ['--input-type=module', '-e', PROBE, ...features], {
      cwd: root,
      env,
      stdio: 'ignore',
      timeout: 60_000,
    }).status === 0
  );
}

/** Folders that hold a Vulkan loader and SwiftShader beside a browser. */
export function softwareFolders() {
  const beside = process.env.CHROME_PATH ? [dirname(process.env.CHROME_PATH)] : [];
  return [
    ...beside,
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
    '/opt/google/chrome',
    '/opt/microsoft/msedge',
    '/snap/chromium/current/usr/lib/chromium-browser',
  ].filter((folder) => existsSync(`${folder}/vk_swiftshader_icd.json`));
}

/** @returns the variables to run with, or null where there is no adapter at all */
export function gpuEnvironment() {
  const candidates = [process.env];
  if (process.platform === 'linux') {
    for (const folder of softwareFolders()) {
      candidates.push({
        ...process.env,
        VK_ICD_FILENAMES: `${folder}/vk_swiftshader_icd.json`,
        LD_LIBRARY_PATH: [process.env.LD_LIBRARY_PATH, folder].filter(Boolean).join(':'),
      });
    }
  }
  return candidates.find((env) => findsAdapter(env)) ?? null;
}
