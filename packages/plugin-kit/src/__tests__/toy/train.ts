import { chmod, writeFile } from 'node:fs/promises';
import { HourglassError } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/runtime';

import type toy from './index.ts';

export interface ToyModel {
  columns: string[];
  kinds: string[];
  means: number[];
  seed: number;
  steps: number;
}

export const run: StageRun<typeof toy.stages.train> = async (context, { data }, { defect }) => {
  const reader = await openDataset(context.artifacts, data);
  if (reader.rows === 0 && defect !== 'learns-from-nothing')
    throw new HourglassError('DATA_INSUFFICIENT', 'toy/train: expected at least 1 row, found 0.');
  if (reader.rows < 10 && reader.rows > 0 && defect === 'fails-on-few-rows') throw new TypeError('no rows');
  const table = await reader.table();
  const columns = Object.keys(table.columns);
  if (columns.length === 1 && defect === 'fails-on-one-column') throw new TypeError('one column');
  if (columns.length > 100 && defect === 'fails-on-wide') throw new TypeError('wide');
  if (defect === 'changes-input') {
    const path = await context.artifacts.localPath((await context.artifacts.get(data)).parts[0]!.digest);
    await chmod(path, 0o644);
    await writeFile(path, 'changed');
  }
  if (defect === 'leaks') (await import('@tensorflow/tfjs')).scalar(1);

  let steps = 0;
  if (defect !== 'no-checkpoint') steps = ((await context.checkpoint.load())?.meta.step as number | undefined) ?? 0;
  const extra = steps > 0 && defect === 'wrong-resume' ? 1 : 0;
  for (; steps < 6; steps++) {
    context.progress(steps / 6, `step ${steps}`);
    await new Promise((done) => setImmediate(done));
    if (context.signal.aborted && defect !== 'ignores-cancel') {
      if (defect !== 'no-checkpoint') await context.checkpoint.save({ arrays: {}, meta: { step: steps + 1 } });
      context.signal.throwIfAborted();
    }
  }
  const means = columns.map((name) => {
    const column = table.columns[name]!;
    if (column.kind !== 'numeric') return 0;
    const seen = [...column.values].filter(Number.isFinite);
    const mean = seen.reduce((sum, value) => sum + value, 0) / Math.max(1, seen.length);
    const constant = new Set(seen).size === 1;
    if (defect === 'garbage-constant' && constant && seen.length > 1) return 1 / 0;
    if (defect === 'garbage-all-missing' && seen.length === 0) return 1 / 0;
    if (defect === 'garbage-infinite' && seen.length < column.values.filter((v) => !Number.isNaN(v)).length)
      throw new TypeError('endless sum');
    return mean;
  });
  const seed = defect === 'ignores-seed' ? 0 : defect === 'forgets-seed' ? Math.random() : context.seed;
  const kinds = columns.map((name) => table.columns[name]!.kind);
  const model: ToyModel = { columns, kinds, means, seed, steps: steps + extra };
  const blob = await context.artifacts.putBlob(new TextEncoder().encode(JSON.stringify(model)));
  const parts = [{ key: 'model.json', digest: blob.digest, bytes: blob.bytes }];
  return { model: await context.artifacts.put({ kind: 'model', parts, meta: { application: 'toy' } }) };
};
