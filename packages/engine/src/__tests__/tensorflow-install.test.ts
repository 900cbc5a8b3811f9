import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findTensorflow } from '../backends/tensorflow-location.ts';
import { installTensorflow, tensorflowHome, uninstallTensorflow } from '../tensorflow-install/install.ts';
import { sha256, unzip, wheelHashes, wheelVersion } from '../tensorflow-install/wheel.ts';

const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const wheelName = `tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_${machine}.whl`;

/** A zip whose entries are stored as they are (PKWARE's APPNOTE, 4.3.7 and 4.3.12). */
function storedZip(entries: Record<string, string>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(entries)) {
    const [nameBytes, data] = [Buffer.from(name), Buffer.from(text)];
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), fields, nameBytes, data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\u0001\u0002\u0014\u0000'), fields, tail, nameBytes]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(central.length, 4);
  end.writeUInt16LE(central.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\u0005\u0006'), end]);
}

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

  it('reads the hashes of a wheel’s files from its own list', async () => {
    const wheel = join(folder, wheelName);
    const hash = createHash('sha256').update('library').digest();
    const record = `tensorflow/lib.so,sha256=${hash.toString('base64url')},7\nx.dist-info/RECORD,,\n`;
    await writeFile(wheel, storedZip({ 'tensorflow/lib.so': 'library', 'x.dist-info/RECORD': record }));
    expect(await wheelHashes(wheel)).toEqual(new Map([['tensorflow/lib.so', hash.toString('hex')]]));
    expect(await unzip(wheel, (entry) => (entry.endsWith('.so') ? join(folder, 'out.so') : undefined))).toHaveLength(1);
    expect(await sha256(join(folder, 'out.so'))).toBe(hash.toString('hex'));
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
