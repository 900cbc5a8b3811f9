import { failureOf } from '@hourglass/core/testing';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { ingest, openDataset, readRecords } from '@hourglass/dataset';
import { blankImage, decodeImage, encodePng, readImages, writeImages } from '@hourglass/images';
import { runStage } from '@hourglass/plugin-kit/testing';
import { afterAll, expect, test } from 'vitest';
import { run as exportRun } from '../export-images.ts';
import { exportImages, images } from '../index.ts';
import { run } from '../images.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-images-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const store = await openStore(join(folder, 'store'));
const context = { artifacts: store.artifacts };
const read = async (options: Record<string, unknown>, inputs: Record<string, ArtifactRef> = {}) =>
  (
    await runStage({
      manifest: images,
      run,
      inputs: inputs as never,
      options: options as { uri: string },
      context,
    })
  ).outputs;
const write = async (data: ArtifactRef, uri: string) =>
  (await runStage({ manifest: exportImages, run: exportRun, inputs: { data }, options: { uri }, context })).outputs
    .written;
const decoded = async (ref: ArtifactRef) => {
  const all = [];
  for await (const stored of readImages(store.artifacts, ref, { where: 'test' })) all.push(stored);
  return all;
};
const rows = async (ref: ArtifactRef) => {
  const all = [];
  for await (const record of readRecords(store.artifacts, ref)) all.push(record);
  return all;
};
const pictures = async (at: string) =>
  (await readdir(at, { recursive: true })).filter((name) => name.endsWith('.png')).sort();
const picture = (shade: number, width = 8, height = 6) => ({
  ...blankImage(width, height, 3),
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * shade) & 255),
});

await mkdir(join(folder, 'pets/cat'), { recursive: true });
await mkdir(join(folder, 'pets/dog'), { recursive: true });
await writeFile(join(folder, 'pets/cat/1.png'), await encodePng(picture(7)));
await writeFile(join(folder, 'pets/cat/2.png'), await encodePng(picture(11)));
await writeFile(join(folder, 'pets/dog/1.png'), await encodePng(picture(3, 9, 9)));
await writeFile(join(folder, 'pets/dog/again.png'), await encodePng(picture(3, 9, 9)));
await writeFile(join(folder, 'pets/README.txt'), 'no picture');

test('a folder of class folders becomes pictures with labels, counted; other files are passed over', async () => {
  const { outputs, said } = await runStage({
    manifest: images,
    run,
    inputs: {} as never,
    options: { uri: join(folder, 'pets') },
    context,
  });
  const { data, profile, quarantined } = outputs;
  expect(JSON.stringify(said)).toContain('1 picture looks like one before it: dog/again.png looks like dog/1.png');
  expect(profile).toMatchObject({
    images: 4,
    quarantined: 0,
    grey: 0,
    minWidth: 8,
    maxWidth: 9,
    duplicates: 1,
    alike: [{ picture: 'dog/again.png', like: 'dog/1.png' }],
    sizes: { '8x6': 2, '9x9': 2 },
  });
  expect(quarantined.rows).toBe(0);
  const all = await rows(data);
  expect(all.map(({ label }) => label)).toEqual(['cat', 'cat', 'dog', 'dog']);
  expect(all.map(({ image }) => (image as { path: string }).path)).toEqual([
    'cat/1.png',
    'cat/2.png',
    'dog/1.png',
    'dog/again.png',
  ]);
  const [first] = await decoded(data);
  expect(first!.image).toEqual(picture(7));
});

test('broken pictures are set aside and named, the rest go on; too many of them stop the stage', async () => {
  const mixed = join(folder, 'mixed');
  await mkdir(mixed);
  const whole = await encodePng(picture(5, 64, 64));
  for (let i = 0; i < 8; i++) await writeFile(join(mixed, `${i}.png`), await encodePng(picture(i + 1)));
  await writeFile(join(mixed, 'cut.png'), whole.subarray(0, whole.length >> 1));
  const { data, quarantined, profile } = await read({ uri: mixed, brokenLimit: 0.2 });
  expect(data.rows).toBe(8);
  expect(profile.quarantined).toBe(1);
  expect(await rows(quarantined)).toEqual([
    { path: 'cut.png', reason: expect.stringContaining('the file is damaged') },
  ]);
  await writeFile(join(mixed, 'empty.png'), '');
  await writeFile(join(mixed, 'text.jpg'), 'hello');
  expect(await failureOf(read({ uri: mixed }))).toMatch(
    /^SOURCE_INVALID data\/images: 3 of 11 pictures cannot be read, more than brokenLimit 0.1 allows: cut.png .*; empty.png \(the file holds no bytes\); text.jpg .*\. Remove or repair these pictures, or raise brokenLimit to go on without them\.$/,
  );
  expect(await failureOf(read({ uri: join(mixed, 'empty.png') }))).toBe(
    'SOURCE_INVALID data/images: no picture is left, 1 cannot be read: empty.png (the file holds no bytes). Remove or repair these pictures.',
  );
  expect(await failureOf(read({ uri: mixed, onBroken: 'fail' }))).toContain(
    'SOURCE_INVALID cut.png: expected a picture',
  );
});

test('what pictures lose on the way in is said once for each kind', async () => {
  const lossy = join(folder, 'lossy');
  await mkdir(lossy);
  const put = (name: string, base64: string) => writeFile(join(lossy, name), Buffer.from(base64, 'base64'));
  const halfRed =
    'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADklEQVR4nGP4z8DQAMIADv0C/528KS0AAAAASUVORK5CYII=';
  for (const name of ['a', 'b', 'c', 'd']) await put(`${name}.png`, halfRed);
  await put(
    'sixteen.png',
    'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAIAAAAr0DSeAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEUlEQVR4nGP4/5+BgYEBQgIAIesD/Q0j0I0AAAAASUVORK5CYII=',
  );
  await put(
    'moving.webp',
    'UklGRpYAAABXRUJQVlA4WAoAAAACAAAAAQAAAAAAQU5JTQYAAAD/////AABBTk1GLgAAAAAAAAAAAAEAAAAAAGQAAAJWUDhMFQAAAC8BAAAAD3AKnuE5Cs/8Bx4qENH/AABBTk1GNAAAAAAAAAAAAAEAAAAAAGQAAABWUDhMGwAAAC8BAAAAD0CQbePvte1HPC3xibnnP26CjOh/AAA=',
  );
  await writeFile(join(lossy, 'plain.png'), await encodePng(picture(7)));
  const { said } = await runStage({ manifest: images, run, inputs: {} as never, options: { uri: lossy }, context });
  expect(said.warnings).toEqual([
    'transparent parts are laid over white in 4 of 7 pictures: a.png, b.png, c.png, …',
    'only the first frame or page is read in 1 of 7 pictures: moving.webp',
    'more than 8 bits a channel become 8 in 1 of 7 pictures: sixteen.png',
  ]);
});

test('a folder without pictures, and both or neither source, are said plainly', async () => {
  await mkdir(join(folder, 'texts'));
  await writeFile(join(folder, 'texts/a.txt'), 'x');
  expect(await failureOf(read({ uri: join(folder, 'texts') }))).toMatch(
    /SOURCE_NOT_FOUND data\/images: .* holds no pictures: none of its 1 files ends in .png/,
  );
  expect(await failureOf(read({}))).toBe(
    'OPTION_INVALID data/images: give either the option `uri` or the input `data`, found neither.',
  );
});

test('numbers of a table become pictures, their other columns beside them', async () => {
  await writeFile(join(folder, 'pixels.csv'), 'a,b,c,d,label\n0,16,8,4,x\n16,16,0,0,y\n');
  const table = await ingest(store.artifacts, { uri: join(folder, 'pixels.csv') });
  const { data } = await read({ pixels: { width: 2, height: 2, max: 16 } }, { data: table });
  const found = await decoded(data);
  expect(found.map(({ image }) => [...image.data])).toEqual([
    [0, 255, 128, 64],
    [255, 255, 0, 0],
  ]);
  expect(found.map(({ record }) => record)).toEqual([{ label: 'x' }, { label: 'y' }]);
  expect(await failureOf(read({ pixels: { width: 3, height: 2 } }, { data: table }))).toContain(
    'COLUMN_INVALID data/images: pixels: expected 2 × 3 × 1 = 6 numbers a row, found 4 in 4 columns',
  );
});

test('a column that is called image stays beside the pictures of another', async () => {
  const named = await writeImages(store.artifacts, {
    column: 'photo',
    columns: [{ name: 'image', physical: 'VARCHAR' }],
    images: [{ image: picture(2), name: 'a.png', record: { image: 'a cat' } }],
  });
  const { data } = await read({ column: 'photo' }, { data: named });
  expect((await rows(data)).map((row) => Object.keys(row).sort())).toEqual([['image', 'photo']]);
  expect((await rows(data))[0]!.image).toBe('a cat');
});

test('pictures are resized, made grey and cut into tiles', async () => {
  const small = await read({ uri: join(folder, 'pets'), resize: { width: 4, height: 4 }, channels: 'grey' });
  expect(small.profile).toMatchObject({ sizes: { '4x4': 4 }, grey: 4 });
  const tiles = await read({ uri: join(folder, 'pets/dog'), tile: { width: 4, height: 4 } });
  expect(tiles.profile).toMatchObject({ images: 8, sizes: { '4x4': 8 } });
  expect(await failureOf(read({ uri: join(folder, 'pets'), tile: { width: 100, height: 100 } }))).toContain(
    'none is as large as tile 100 × 100',
  );
});

test('pictures leave as a folder under their names, whole, or a single one as a file of the format its name says', async () => {
  const { data } = await read({ uri: join(folder, 'pets') });
  const out = join(folder, 'out');
  const written = await write(data, out);
  expect(written.images).toBe(4);
  expect((await readdir(out, { recursive: true })).sort()).toEqual([
    '.hourglass-images.json',
    'cat',
    'cat/1.png',
    'cat/2.png',
    'dog',
    'dog/1.png',
    'dog/again.png',
  ]);
  expect(await decodeImage(await readFile(join(out, 'cat/2.png')), 'x')).toEqual(picture(11));
  expect((await write(data, out)).digest).toBe(written.digest);
  const { data: one } = await read({ uri: join(folder, 'pets/cat/1.png') });
  await write(one, join(folder, 'one.jpg'));
  expect((await readFile(join(folder, 'one.jpg'))).subarray(0, 2)).toEqual(Buffer.of(0xff, 0xd8));
  expect(await failureOf(write(data, join(folder, 'all.jpg')))).toContain(
    'is one file, the dataset holds 4 pictures. Name a folder.',
  );
});

test('a name of a format that pictures are not written in makes no folder of that name', async () => {
  const { data } = await read({ uri: join(folder, 'pets') });
  const { data: one } = await read({ uri: join(folder, 'pets/cat/1.png') });
  for (const [of, name] of [
    [data, 'out.gif'],
    [data, 'out.CSV'],
    [one, 'out.pngg'],
  ] as const) {
    const said = await failureOf(write(of, join(folder, name)));
    expect(said).toContain('for one picture a file that ends in .png, .jpg, .webp or .tif; tables (.parquet, ');
    expect(said).toMatch(/^OPTION_INVALID/);
    expect(await readdir(folder)).not.toContain(name);
  }
  for (const [of, name] of [
    [data, 'out.pngs'],
    [one, 'out.v2'],
    [one, '2026.11.28'],
  ] as const)
    expect((await write(of, join(folder, name))).images).toBe(of.rows);
});

test('a folder that holds files of someone else is kept as it is, and they are named', async () => {
  const { data } = await read({ uri: join(folder, 'pets') });
  const at = join(folder, 'album');
  await mkdir(join(at, 'holiday'), { recursive: true });
  await writeFile(join(at, 'holiday/beach.png'), 'mine');
  const refused = (names: string) =>
    `SINK_UNWRITABLE data/export-images: ${at}: expected a folder that holds only what was exported to it, as it is replaced as a whole; found ${names}. `;
  expect(await failureOf(write(data, at))).toBe(
    `${refused('holiday/beach.png')}Name another folder. If it is an export of an earlier version, which left no .hourglass-images.json, move it away first.`,
  );
  expect(await readdir(at, { recursive: true })).toEqual(['holiday', 'holiday/beach.png']);
  await rm(join(at, 'holiday/beach.png'));
  await write(data, at);
  await mkdir(join(at, 'mine'));
  for (const name of ['cat/9.png', 'mine/cat.png', 'notes.txt']) await writeFile(join(at, name), 'mine');
  expect(await failureOf(write(data, at))).toBe(
    `${refused('cat/9.png, mine/cat.png, notes.txt')}Name another folder, or move them elsewhere.`,
  );
  expect(await readFile(join(at, 'cat/9.png'), 'utf8')).toBe('mine');
  expect(await pictures(at)).toHaveLength(6);
  expect((await readdir(folder)).filter((name) => name.startsWith('.album'))).toEqual([]);
});

test('a file that comes into the folder while pictures are written is kept, too', async () => {
  const { data } = await read({ uri: join(folder, 'pets') });
  const at = join(folder, 'meanwhile');
  await write(data, at);
  const artifacts = {
    ...store.artifacts,
    localPath: async (digest: string) => {
      await writeFile(join(at, 'late.png'), 'mine');
      return store.artifacts.localPath(digest);
    },
  };
  const again = runStage({
    manifest: exportImages,
    run: exportRun,
    inputs: { data },
    options: { uri: at },
    context: { artifacts },
  });
  expect(await failureOf(again)).toMatch(/SINK_UNWRITABLE .*; found late\.png\./);
  expect(await pictures(at)).toEqual(['cat/1.png', 'cat/2.png', 'dog/1.png', 'dog/again.png', 'late.png']);
  expect((await readdir(folder)).filter((name) => name.startsWith('.meanwhile'))).toEqual([]);
});

test('exported again, a folder holds the pictures of now; edited and deleted ones are whole again', async () => {
  const { data } = await read({ uri: join(folder, 'pets') });
  const at = join(folder, 'again');
  await write(data, at);
  const digest = await store.digestOfDestination(at);
  await writeFile(join(at, 'cat/1.png'), 'edited');
  await rm(join(at, 'dog/1.png'));
  expect(await store.digestOfDestination(at)).not.toBe(digest);
  await write(data, at);
  expect(await store.digestOfDestination(at)).toBe(digest);
  for (const uri of [at, join(at, '**')])
    expect((await read({ uri })).profile).toMatchObject({ images: 4, quarantined: 0 });
  const { data: cats } = await read({ uri: join(folder, 'pets/cat') });
  await write(cats, at);
  expect(await pictures(at)).toEqual(['1.png', '2.png']);
});

test('pictures of equal names get names of their own, none of which is taken', async () => {
  const names = ['a-4.png', 'A-5.png', 'a.png', 'a.png', 'a.png'];
  const data = await writeImages(store.artifacts, {
    images: names.map((name, i) => ({ image: picture(i + 2), name })),
  });
  const out = join(folder, 'equal');
  await write(data, out);
  const files = await pictures(out);
  expect(files).toEqual(['A-5.png', 'a-4.png', 'a-6.png', 'a-7.png', 'a.png']);
  const shades = await Promise.all(
    files.map(async (file) => (await decodeImage(await readFile(join(out, file)), file)).data[1]),
  );
  expect(shades.sort()).toEqual([2, 3, 4, 5, 6]);
});

test('a name cannot lead out of the folder', async () => {
  const data = await writeImages(store.artifacts, {
    images: [
      { image: picture(2), name: '../../escaped.png' },
      { image: picture(2), name: '/etc/x.png' },
    ],
  });
  const out = join(folder, 'safe');
  await write(data, out);
  expect(await pictures(out)).toEqual(['escaped.png', 'etc/x.png']);
  expect((await openDataset(store.artifacts, data)).columns[0]!.physical).toBe('STRUCT(bytes BLOB, path VARCHAR)');
});
