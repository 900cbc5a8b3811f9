import { expect, test } from 'vitest';
import { openDataset } from '../open-dataset.ts';
import { readRecords, writeRecords, type DataRecord } from '../records.ts';
import { tempStore } from './temp-store.ts';

const { store } = await tempStore();
const columns = [
  { name: 'image', physical: 'STRUCT(bytes BLOB, path VARCHAR)' },
  { name: 'label', physical: 'VARCHAR' },
  { name: 'sizes', physical: 'INTEGER[]' },
];
const all = async (ref: Parameters<typeof readRecords>[1], names?: string[]): Promise<DataRecord[]> => {
  const records: DataRecord[] = [];
  for await (const record of readRecords(store, ref, names)) records.push(record);
  return records;
};

test('bytes, structures and lists come back as they were, missing ones missing', async () => {
  const records: DataRecord[] = [
    { image: { bytes: Uint8Array.of(0, 255, 7), path: 'a.png' }, label: 'frog', sizes: [3, 4] },
    { image: null, label: null, sizes: [] },
    { image: { bytes: new Uint8Array(), path: null }, label: 'Frösche', sizes: null },
  ];
  const ref = await writeRecords(store, { columns, records });
  expect(ref.rows).toBe(3);
  expect(await all(ref)).toEqual(records);
  expect(await all(ref, ['label'])).toEqual([{ label: 'frog' }, { label: null }, { label: 'Frösche' }]);
  expect((await openDataset(store, ref)).columns.map(({ physical }) => physical)).toEqual([
    'STRUCT(bytes BLOB, path VARCHAR)',
    'VARCHAR',
    'INTEGER[]',
  ]);
});

test('many megabytes of bytes go through temporary files, and the same rows give the same digest', async () => {
  const records = Array.from({ length: 300 }, (_, i) => ({
    image: { bytes: new Uint8Array(500_000).map((__, j) => (i * 31 + j * 7) & 255), path: `${i}` },
    label: `${i}`,
    sizes: [i],
  }));
  const ref = await writeRecords(store, { columns, records });
  let i = 0;
  for await (const { image, label } of readRecords(store, ref, ['image', 'label'])) {
    expect(label).toBe(`${i}`);
    expect(Buffer.compare((image as { bytes: Uint8Array }).bytes, records[i]!.image.bytes)).toBe(0);
    i++;
  }
  expect(i).toBe(300);
  expect((await writeRecords(store, { columns, records })).digest).toBe(ref.digest);
});
