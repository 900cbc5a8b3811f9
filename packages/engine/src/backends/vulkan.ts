import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, join } from 'node:path';

import type { EngineStatus } from '../types.ts';

export const GPU_REMEDY =
  "Install the GPU's driver (on Linux with Vulkan's loader, libvulkan1 on Debian and Ubuntu), or use auto.";

/** Whether Linux has a GPU and a Vulkan driver for it, found without loading a driver. */
export function vulkanStatus(
  environment: NodeJS.ProcessEnv = process.env,
  devices = '/dev',
): Omit<EngineStatus, 'name'> {
  const named = environment.VK_DRIVER_FILES ?? environment.VK_ICD_FILENAMES;
  const drivers = (named?.split(delimiter) ?? driverFolders(environment)).flatMap(manifests);
  if (drivers.length === 0) return { available: false, reason: 'no Vulkan driver was found', remedy: GPU_REMEDY };
  // Drivers come with every desktop; one that was named may compute on the processor, to test with.
  if (named === undefined && !gpuDevices(devices))
    return { available: false, reason: 'this machine has no GPU', remedy: 'Run it where a GPU is, or use auto.' };
  return { available: true, reason: `Vulkan driver ${drivers.map((file) => basename(file, '.json')).join(', ')}` };
}

/** Where Vulkan's loader looks for drivers, in order. */
const driverFolders = (environment: NodeJS.ProcessEnv): string[] =>
  [
    environment.XDG_CONFIG_HOME ?? join(homedir(), '.config'),
    '/etc/xdg',
    '/etc',
    ...(environment.XDG_DATA_DIRS ?? '/usr/local/share:/usr/share').split(delimiter),
    environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'),
  ].map((folder) => join(folder, 'vulkan', 'icd.d'));

/** Manifests of drivers: the file itself, or those of a folder. */
const manifests = (place: string): string[] =>
  place.endsWith('.json')
    ? [place].filter((file) => existsSync(file))
    : namesIn(place)
        .filter((name) => name.endsWith('.json'))
        .map((name) => join(place, name));

/** Whether the kernel has a GPU: one to render with, NVIDIA's, or that of the Windows around a WSL. */
const gpuDevices = (devices: string): boolean =>
  namesIn(join(devices, 'dri')).some((name) => name.startsWith('renderD')) ||
  namesIn(devices).some((name) => /^nvidia\d+$|^dxg$/.test(name));

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
