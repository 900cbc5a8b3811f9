import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blankImage, encodePng } from '@hourglass/images';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyTarget, type InputKind } from '../apply-target.ts';
import { type Called, makeWorkspace, type Workspace } from './support/workspace.ts';

let w: Workspace;
const apply = (...argv: string[]): Promise<Called> => w.call(['apply', 'denoiser', ...argv, '--engine', 'cpu']);

beforeAll(async () => {
  w = makeWorkspace();
  const data = fileURLToPath(new URL('../../../../workflows/data/cifar10-small.parquet', import.meta.url));
  w.write(
    'train.yaml',
    `hourglass: v1
name: small_denoiser
engine: cpu
stages:
  ingest: { uses: data/ingest, with: { uri: '${data}', sample: { rows: 24 }, profile: false } }
  images: { uses: data/images, with: { data: '\${{ stages.ingest.data }}', channels: rgb } }
  train:
    uses: denoising/train
    with: { data: '\${{ stages.images.data }}', level: 0.1, levels: 1, width: 4, patch: 16, patchesPerImage: 1, epochs: 1 }
publish: { denoiser: '\${{ stages.train.model }}' }
`,
  );
  const { code, out, err } = await w.call(['run', 'train.yaml']);
  expect(code, out + err).toBe(0);
  const png = await encodePng(blankImage(12, 12, 3));
  mkdirSync(join(w.dir, 'scans'));
  for (const name of ['img.001.png', 'img.002.png', 'scans/a.png', 'scans/b.png'])
    writeFileSync(join(w.dir, name), png);
  w.write('scans/broken.png', 'no picture');
});
afterAll(() => w.remove());

describe('where the result goes', () => {
  const target = (source: string, kind: InputKind = 'file', pictures = true, given?: string): string =>
    applyTarget(given, { cwd: '/out', source, kind, pictures, readOut: 'denoise' }).path;

  it('by default keeps all of the name but its last ending, so that neighbours keep names of their own', () => {
    expect(target('/in/img.001.png')).toBe('/out/img.001-denoised.png');
    expect(target('/in/2026.11.28', 'folder')).toBe('/out/2026.11.28-denoised');
    expect(target('/in/photos.v2.parquet')).toBe('/out/photos.v2-denoised.parquet');
    expect(target('/in/data.csv.gz', 'file', false)).toBe('/out/data-denoised.parquet');
    expect(target('/in/data.2.csv', 'file', false)).toBe('/out/data.2-denoised.csv');
  });

  it('is said to be nothing that can be written before anything runs, and no folder of that name is made', async () => {
    for (const name of ['o.gif', 'o.bmp', 'o.avif', 'o.csv', 'o.pngg', 'o.parqet']) {
      const { code, err } = await apply('img.001.png', '-o', name);
      expect(err).toMatch(
        /CALL_INVALID -o: expected .*\.png, \.jpg, \.webp or \.tif .*\.parquet, \.arrow or \.feather/s,
      );
      expect(err).toContain(`found ${name}.`);
      expect(code).toBe(2);
      expect(existsSync(join(w.dir, name))).toBe(false);
    }
    expect(() => target('/in/scans', 'folder', true, 'out.zip')).toThrow(/found out\.zip/);
    for (const name of ['out.v2', '2026.11.28', 'out'])
      expect(target('/in/a.png', 'file', true, name)).toBe(`/out/${name}`);
  });

  it('is two files for two pictures', async () => {
    for (const name of ['img.001', 'img.002']) {
      expect((await apply(`${name}.png`)).code).toBe(0);
      expect(existsSync(join(w.dir, `${name}-denoised.png`))).toBe(true);
    }
  });

  it("is no folder that holds pictures of one's own", async () => {
    w.write('album/mine.png', 'mine');
    const { code, out } = await apply('scans', '-o', 'album', '--with', 'brokenLimit=0.5');
    expect(out).toMatch(/SINK_UNWRITABLE\n.*album/);
    expect(code).toBe(1);
    expect(readdirSync(join(w.dir, 'album'))).toEqual(['mine.png']);
  });
});

describe('pictures that cannot be read', () => {
  it('are named with what helps, and no contract is spoken of', async () => {
    const { code, out } = await apply('scans', '-o', 'clean');
    expect(out).toMatch(/1 of 3 pictures cannot be read.*broken\.png .*Remove\s+or\s+repair/s);
    expect(out).not.toMatch(/contract|filter/);
    expect(code).toBe(1);
    const alone = await apply('scans/broken.png', '-o', 'alone.png');
    expect(alone.out).toMatch(/no picture is left, 1 cannot be read: broken\.png \(its bytes are no/);
    expect(alone.out).not.toMatch(/contract|filter/);
  });

  it('are left out by an option of the stage that reads, with its name or without', async () => {
    for (const option of ['brokenLimit=0.5', 'ingest.brokenLimit=0.5']) {
      rmSync(join(w.dir, 'clean'), { recursive: true, force: true });
      expect((await apply('scans', '-o', 'clean', '--with', option)).code).toBe(0);
      expect(readdirSync(join(w.dir, 'clean')).filter((name) => name.endsWith('.png'))).toEqual(['a.png', 'b.png']);
    }
    for (const [option, message] of [
      ['read.brokenLimit=1', /there is no stage read; expected ingest, apply, export/],
      ['uri=x', /--with uri: it is given already, by MODEL, INPUT, -o/],
      ['export.uri=x', /--with export\.uri: it is given already/],
      ['brokenlimit=1', /denoising\/denoise has no option or input `brokenlimit`/],
    ] as const) {
      const { code, err } = await apply('scans', '-o', 'clean', '--with', option);
      expect(err).toMatch(message);
      expect(code).toBe(2);
    }
  });

  it('can be got past by the advice that is printed: the run is continued with another option', async () => {
    const { out } = await apply('scans', '-o', 'again');
    const [, id] = /hourglass retry (\S+) --with STAGE\.OPTION=VALUE/.exec(out)!;
    const { code, out: continued } = await w.call(['retry', id!, '--with', 'ingest.brokenLimit=0.5']);
    expect(continued).toMatch(/[✓≡] apply +(done|cached)/);
    expect(code).toBe(0);
    expect(readdirSync(join(w.dir, 'again')).filter((name) => name.endsWith('.png'))).toEqual(['a.png', 'b.png']);
  });
});
