import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findTensorflow } from '../backends/tensorflow-location.ts';
import { installTensorflow, tensorflowHome, uninstallTensorflow } from '../tensorflow-install/install.ts';
import { unzip, wheelVersion } from '../tensorflow-install/wheel.ts';

const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const wheelName = `tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_${machine}.whl`;

describe('installing TensorFlow', () => {
  let folder: string;
  const { HOURGLASS_ENGINES, CXX } = process.env;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hourglass-engines-'));
    process.env.HOURGLASS_ENGINES = folder;
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
    for (const [name, value] of Object.entries({ HOURGLASS_ENGINES, CXX }))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });

  it('reads the version from the name of a wheel for this machine', () => {
    expect(wheelVersion(`/somewhere/${wheelName}`)).toBe('2.21.0');
  });

  it('refuses a wheel of another machine or another package by name', () => {
    expect(() => wheelVersion('tensorflow_cpu-2.21.0-cp312-cp312-win_amd64.whl')).toThrow(
      /expected a TensorFlow wheel for Linux .* found tensorflow_cpu-2\.21\.0-cp312-cp312-win_amd64\.whl/,
    );
    expect(() => wheelVersion(`torch-2.1-cp312-${machine}.whl`)).toThrow(/expected a TensorFlow wheel/);
  });

  it('says that a wheel cut short is not a zip, and leaves nothing behind', async () => {
    const wheel = join(folder, wheelName);
    await writeFile(wheel, 'PK\u0003\u0004 cut');
    await expect(unzip(wheel, () => join(folder, 'out', 'x'))).rejects.toThrow(/expected a wheel \(a zip\)/);
    await expect(unzip(join(folder, 'absent.whl'), () => undefined)).rejects.toThrow(/absent\.whl/);
  });

  it('names a missing compiler and how to get it, before anything is fetched', async () => {
    process.env.CXX = 'no-such-compiler';
    const steps: string[] = [];
    await expect(installTensorflow({ onStep: (line) => steps.push(line) })).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      message: expect.stringMatching(/Cannot run no-such-compiler: it is not installed\. Install a C\+\+ compiler/),
    });
    expect(steps).toEqual([]);
  });

  it('does not take an unfinished installation for one that is there', async () => {
    const addon = join(tensorflowHome(), 'node_modules', '@tensorflow', 'tfjs-node', 'lib', 'napi-v8');
    await mkdir(addon, { recursive: true });
    await writeFile(join(addon, 'tfjs_binding.node'), 'half');
    await writeFile(join(tensorflowHome(), 'node_modules', '@tensorflow', 'tfjs-node', 'package.json'), '{}');
    await writeFile(join(tensorflowHome(), 'package.json'), '{}');
    const before = findTensorflow();
    expect(before?.folder.startsWith(folder)).not.toBe(true);
    await writeFile(join(tensorflowHome(), 'install.json'), '{}');
    expect(findTensorflow()?.folder.startsWith(folder)).toBe(before === undefined);
  });

  it('uninstalls what is there and says whether there was anything', async () => {
    expect(await uninstallTensorflow()).toBe(false);
    await mkdir(tensorflowHome(), { recursive: true });
    expect(await uninstallTensorflow()).toBe(true);
  });
});
