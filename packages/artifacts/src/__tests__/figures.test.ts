import { describe, expect, it } from 'vitest';
import { putFigures, readFigures, type Figure } from '../figures.ts';
import { openStore } from '../open-store.ts';
import { tempFolder } from './support/temp-folder.ts';

const line: Figure = {
  id: 'curve',
  title: 'Error by dimension',
  format: 'vega-lite',
  spec: { data: { values: [{ d: 1, error: 2.5, data: { url: 'a word, not a place' } }] }, mark: 'line' },
};
const image: Figure = {
  id: 'map',
  title: 'A map',
  format: 'png',
  png: Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
};

describe('figures', () => {
  const folder = tempFolder();
  const store = async () => (await openStore(folder)).artifacts;

  it('come back as they were, in order, from parts other programs can open', async () => {
    const ref = await putFigures(await store(), [line, image]);
    expect(ref.kind).toBe('figures');
    const back = await readFigures(await store(), ref);
    expect(back.map((figure) => ({ ...figure, ...('png' in figure ? { png: [...figure.png] } : {}) }))).toEqual([
      line,
      { ...image, png: [...(image as { png: Uint8Array }).png] },
    ]);
    expect((await (await store()).get(ref)).parts.map(({ key }) => key)).toEqual(['curve.vl.json', 'map.png']);
  });

  it('must hold their data, and little of it', async () => {
    const with_ = (spec: Record<string, unknown>): Figure => ({ ...line, spec }) as Figure;
    await expect(putFigures(await store(), [with_({ layer: [{ data: { url: 'x.csv' } }] })])).rejects.toThrow(
      /figure "curve".*found data by url/,
    );
    const values = Array.from({ length: 40_000 }, (_, i) => ({ x: i, y: i }));
    await expect(putFigures(await store(), [with_({ data: { values } })])).rejects.toThrow(/at most 524288 bytes/);
    await expect(putFigures(await store(), [{ ...image, png: new Uint8Array(8) } as Figure])).rejects.toThrow(
      /expected a PNG image/,
    );
    await expect(putFigures(await store(), [line, line])).rejects.toMatchObject({ code: 'OUTPUT_INVALID' });
  });
});
