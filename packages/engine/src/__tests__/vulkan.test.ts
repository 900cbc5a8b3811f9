import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { vulkanStatus } from '../backends/vulkan.ts';

describe('vulkanStatus', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'hourglass-vulkan-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A machine with these files, and no places but its own. */
  async function machine(...files: string[]): Promise<[NodeJS.ProcessEnv, string]> {
    for (const file of files) {
      await mkdir(join(folder, file, '..'), { recursive: true });
      await writeFile(join(folder, file), '{}');
    }
    const [config, data] = [join(folder, 'config'), join(folder, 'data')];
    return [
      { XDG_CONFIG_HOME: config, XDG_DATA_HOME: data, XDG_DATA_DIRS: join(folder, 'share') },
      join(folder, 'dev'),
    ];
  }

  it('finds a driver and its GPU', async () => {
    const driver = 'share/vulkan/icd.d/nvidia_icd.json';
    for (const device of ['dev/nvidia0', 'dev/dxg', 'dev/dri/renderD128']) {
      expect(vulkanStatus(...(await machine(driver, device)))).toEqual({
        available: true,
        reason: 'Vulkan driver nvidia_icd',
      });
      await rm(join(folder, 'dev'), { recursive: true });
    }
  });

  it('tells a machine with drivers and no GPU from one with a GPU and no driver', async () => {
    expect(vulkanStatus(...(await machine('dev/nvidiactl', 'share/vulkan/icd.d/lvp_icd.json')))).toMatchObject({
      available: false,
      reason: 'this machine has no GPU',
    });
    await rm(join(folder, 'share'), { recursive: true });
    expect(vulkanStatus(...(await machine('dev/dri/renderD128', 'share/vulkan/icd.d/README')))).toMatchObject({
      available: false,
      reason: 'no Vulkan driver was found',
      remedy: expect.stringContaining('libvulkan1'),
    });
  });

  it('takes the drivers that the environment names, with any hardware, and no others', async () => {
    const [environment, devices] = await machine('software.json', 'dev/null', 'share/vulkan/icd.d/nvidia_icd.json');
    const named = (files: string) => vulkanStatus({ ...environment, VK_DRIVER_FILES: files }, devices);
    expect(named(join(folder, 'software.json'))).toEqual({ available: true, reason: 'Vulkan driver software' });
    expect(named(join(folder, 'gone.json'))).toMatchObject({ available: false, reason: 'no Vulkan driver was found' });
  });
});
