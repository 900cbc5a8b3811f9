import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { permutation, type DataArray } from '@hourglass/engine';
import type { ReferenceNet } from '@hourglass/engine/reference-nets';

/** Epochs whose losses are compared. */
export const COMPARED = 4;

/** Writes what peers need to train the same net: initial weights, data and orders of rows, as raw arrays beside net.json. */
export async function writeCase(folder: string, net: ReferenceNet): Promise<void> {
  const spec = net.training(net.rows);
  await mkdir(folder, { recursive: true });
  let files = 0;
  const write = async (values: Float32Array | Int32Array, shape: number[]): Promise<object> => {
    const file = `${files++}.raw`;
    await writeFile(join(folder, file), values);
    return { file, shape, dtype: values instanceof Int32Array ? '<i4' : '<f4' };
  };
  const listing = async (arrays: Record<string, { values: Float32Array | Int32Array; shape: number[] }>) => {
    const entries: [string, object][] = [];
    for (const [name, { values, shape }] of Object.entries(arrays)) entries.push([name, await write(values, shape)]);
    return Object.fromEntries(entries);
  };
  const orders = Array.from({ length: COMPARED }, (_, epoch) => {
    const values = permutation(net.rows, spec.seed, epoch);
    return [`${epoch}`, { dtype: 'int32', values, shape: [net.rows] }] as [string, DataArray];
  });
  const meta = {
    net: net.name,
    batchSize: spec.batchSize,
    rate: spec.schedule.rate,
    weightDecay: spec.optimizer.weightDecay,
    params: await listing(spec.params),
    data: await listing(spec.data),
    orders: await listing(Object.fromEntries(orders)),
  };
  await writeFile(join(folder, 'net.json'), JSON.stringify(meta));
}
