import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, type ArtifactStore } from '@hourglass/artifacts';
import { defineApplication, identityExample } from '@hourglass/autoencoder';
import { learnerOptions } from '@hourglass/autoencoder/options';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset, type ColumnData } from '@hourglass/dataset';
import { fakeContext } from '@hourglass/plugin-kit/testing';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { run as encode } from '../encode.ts';
import { run as exportModel } from '../export.ts';
import plugin, { encode as encodeManifest, exportStage, reconstruct as reconstructManifest } from '../index.ts';
import { run as reconstruct } from '../reconstruct.ts';

const WDBC = fileURLToPath(new URL('../../../../workflows/data/wdbc.parquet', import.meta.url));

// An application of this test's own: the stages must not know which one trained a model.
const application = defineApplication({
  name: 'plain',
  version: 1,
  readOut: { kind: 'reconstruct', stage: 'model/reconstruct', output: 'data' },
  example: (batch) => identityExample(batch, tf.step(batch.w)),
});

let folder: string;
let artifacts: ArtifactStore;
let data: ArtifactRef;
let model: ArtifactRef;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plugin-model-'));
  artifacts = (await openStore(join(folder, 'store'))).artifacts;
  data = await query(
    `SELECT row_number() OVER () AS id, diagnosis, mean_radius, mean_texture, mean_area, (mean_texture * 10)::INTEGER AS tenths
     FROM read_parquet('${WDBC}') LIMIT 300`,
  );
  const options = z.object(learnerOptions).parse({
    exclude: ['id'],
    latentDim: 3,
    width: 16,
    epochs: 30,
    learningRate: 0.02,
    batchSize: 64,
  });
  model = (await application.train(context(), { data }, options)).model;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const context = () => fakeContext({ artifacts });
const query = (sql: string, inputs: Record<string, ArtifactRef> = {}) => queryDataset(artifacts, { inputs, sql });
const read = async (ref: ArtifactRef) => openDataset(artifacts, ref);
const encodeOptions = (given: object = {}) => encodeManifest.options.parse(given);
const reconstructOptions = (given: object = {}) => reconstructManifest.options.parse(given);
const valuesOf = (data: ColumnData | undefined): Float64Array => {
  if (data?.kind !== 'numeric') throw new Error('expected numbers');
  return data.values;
};

describe('model/encode', () => {
  it('gives one row a row: ids as they were, then z_1 … z_d', async () => {
    const { data: latents } = await encode(context(), { data, model }, encodeOptions());
    const reader = await read(latents);
    expect(reader.columns.map(({ name, physical }) => `${name} ${physical}`)).toEqual([
      'id BIGINT',
      'z_1 FLOAT',
      'z_2 FLOAT',
      'z_3 FLOAT',
    ]);
    const table = await reader.table();
    expect([...valuesOf(table.columns.id)]).toEqual(Array.from({ length: 300 }, (_, row) => row + 1));
    const z = valuesOf(table.columns.z_1);
    expect(Math.max(...z) - Math.min(...z)).toBeGreaterThan(0.1);
  });

  it('carries the columns asked for under the prefix asked for', async () => {
    const { data: latents } = await encode(
      context(),
      { data, model },
      encodeOptions({ keep: ['diagnosis'], prefix: 'f' }),
    );
    expect((await read(latents)).columns.map(({ name }) => name)).toEqual(['diagnosis', 'f1', 'f2', 'f3']);
    const none = await encode(context(), { data, model }, encodeOptions({ keep: [] }));
    expect((await read(none.data)).columns.map(({ name }) => name)).toEqual(['z_1', 'z_2', 'z_3']);
  });

  it('gives each part of a dataset the latents of its own rows', async () => {
    const whole = await (await read((await encode(context(), { data, model }, encodeOptions())).data)).table();
    const parts = await artifacts.get(data, 'dataset').then(async ({ meta }) => {
      const halves = await Promise.all(
        ['id <= 120', 'id > 120'].map((where) => query(`SELECT * FROM data WHERE ${where} ORDER BY id`, { data })),
      );
      const listed = await Promise.all(halves.map((half) => artifacts.get(half, 'dataset')));
      return artifacts.put({
        kind: 'dataset',
        meta,
        parts: listed.map(({ parts: [part] }, k) => ({ ...part!, key: `half-${k}` })),
      });
    });
    const reader = await read((await encode(context(), { data: parts, model }, encodeOptions())).data);
    expect(reader.parts.map(({ key, rows }) => [key, rows])).toEqual([
      ['half-0', 120],
      ['half-1', 180],
    ]);
    const z = valuesOf((await reader.table()).columns.z_2);
    valuesOf(whole.columns.z_2).forEach((value, row) => expect(z[row]).toBeCloseTo(value, 4));
  });

  it('gives the same digest again', async () => {
    const once = await encode(context(), { data, model }, encodeOptions());
    const again = await encode(context(), { data, model }, encodeOptions());
    expect(again.data.digest).toBe(once.data.digest);
  });

  it('takes reordered and further columns, which it says, and names missing ones', async () => {
    const reordered = await query(
      'SELECT 1.5 AS new, tenths, mean_area, mean_texture, mean_radius, diagnosis, id FROM data',
      {
        data,
      },
    );
    const said = context();
    const { data: latents } = await encode(said, { data: reordered, model }, encodeOptions({ keep: ['id'] }));
    expect(said.said.warnings).toEqual([expect.stringContaining('new')]);
    const straight = await encode(context(), { data, model }, encodeOptions({ keep: ['id'] }));
    expect(latents.digest).toBe(straight.data.digest);
    const without = await query('SELECT id, mean_radius, mean_area, diagnosis FROM data', { data });
    await expect(encode(context(), { data: without, model }, encodeOptions())).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('missing: mean_texture, tenths'),
    });
  });

  it('refuses a kept column that does not exist or has the name of a latent', async () => {
    await expect(encode(context(), { data, model }, encodeOptions({ keep: ['ident'] }))).rejects.toThrow(
      /no column "ident"/,
    );
    const clash = await query('SELECT *, 1 AS Z_1 FROM data', { data });
    await expect(encode(context(), { data: clash, model }, encodeOptions())).rejects.toThrow(/"Z_1".*another prefix/);
  });

  it('encodes an empty table and rows with missing cells', async () => {
    const empty = await query('SELECT * FROM data WHERE false', { data });
    const { data: none } = await encode(context(), { data: empty, model }, encodeOptions());
    expect((await read(none)).rows).toBe(0);
    const holes = await query('SELECT * REPLACE (NULL::DOUBLE AS mean_radius) FROM data LIMIT 5', { data });
    const table = await (await read((await encode(context(), { data: holes, model }, encodeOptions())).data)).table();
    for (const value of valuesOf(table.columns.z_1)) expect(value).toBeTypeOf('number');
    expect([...valuesOf(table.columns.z_1)].some(Number.isNaN)).toBe(false);
  });

  it('leaks no tensors', async () => {
    await encode(context(), { data, model }, encodeOptions());
    const before = tf.memory().numTensors;
    await encode(context(), { data, model }, encodeOptions());
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('model/reconstruct', () => {
  it('gives the table back in its own order and types, near the truth', async () => {
    const { data: made } = await reconstruct(context(), { data, model }, reconstructOptions());
    const reader = await read(made);
    const original = await read(data);
    expect(reader.columns).toEqual(original.columns);
    const [found, truth] = [await reader.table(), await original.table()];
    for (const name of ['mean_radius', 'mean_texture']) {
      const [a, b] = [valuesOf(found.columns[name]), valuesOf(truth.columns[name])];
      const mean = b.reduce((sum, value) => sum + value, 0) / b.length;
      const error = a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
      expect(error / b.reduce((sum, value) => sum + (value - mean) ** 2, 0)).toBeLessThan(0.3);
    }
  });

  it('keeps fractions on request and answers from the latent alone on request', async () => {
    const { data: exact } = await reconstruct(context(), { data, model }, reconstructOptions({ exact: true }));
    const reader = await read(exact);
    expect(reader.columns.find(({ name }) => name === 'tenths')).toMatchObject({ physical: 'DOUBLE' });
    expect(valuesOf((await reader.table()).columns.tenths).some((value) => !Number.isInteger(value))).toBe(true);
    const { data: alone } = await reconstruct(context(), { data, model }, reconstructOptions({ latentOnly: true }));
    expect((await read(alone)).rows).toBe(300);
  });

  it('adds the error of each row on request: a row unlike all others has the largest', async () => {
    const odd = await query(
      'SELECT * REPLACE (CASE WHEN id = 77 THEN 900.0 ELSE mean_radius END AS mean_radius) FROM data',
      { data },
    );
    const { data: made } = await reconstruct(context(), { data: odd, model }, reconstructOptions({ error: 'error' }));
    const reader = await read(made);
    expect(reader.columns.at(-1)).toMatchObject({ name: 'error', physical: 'FLOAT' });
    const errors = valuesOf((await reader.table()).columns.error);
    expect(errors.indexOf(Math.max(...errors))).toBe(76);
    const twin = await query('SELECT *, 1 AS Error FROM data', { data });
    await expect(reconstruct(context(), { data: twin, model }, reconstructOptions({ error: 'error' }))).rejects.toThrow(
      /adds a column "error", which the table has already/,
    );
  });
});

describe('model/export', () => {
  const options = (given: object = {}) => exportStage.options.parse(given);

  it('gives a file that answers raw columns as model/encode and model/reconstruct do', async () => {
    const { file, written } = await exportModel(context(), { model }, options({ exact: true }));
    const { kind, parts } = await artifacts.get(file);
    expect([kind, parts.map(({ key }) => key)]).toEqual(['files', ['model.onnx']]);
    expect(written.inputs).toEqual([
      { name: 'mean_radius', type: 'float64', width: 1, missing: 'NaN' },
      { name: 'mean_texture', type: 'float64', width: 1, missing: 'NaN' },
      { name: 'mean_area', type: 'float64', width: 1, missing: 'NaN' },
      { name: 'tenths', type: 'int64', width: 1, missing: '-9223372036854775808' },
      { name: 'diagnosis', type: 'string', width: 1, missing: '' },
    ]);
    const session = await InferenceSession.create(await artifacts.readBlob(parts[0]!.digest));
    const { columns } = await (await read(data)).table();
    const column = (name: string) => new Tensor('float64', valuesOf(columns[name]), [300, 1]);
    const { diagnosis } = columns;
    if (diagnosis?.kind !== 'category') throw new Error('expected categories');
    const answer = await session.run({
      mean_radius: column('mean_radius'),
      mean_texture: column('mean_texture'),
      mean_area: column('mean_area'),
      tenths: new Tensor('int64', BigInt64Array.from(valuesOf(columns.tenths), BigInt), [300, 1]),
      diagnosis: new Tensor(
        'string',
        Array.from(diagnosis.codes, (code) => diagnosis.categories[code]!),
        [300, 1],
      ),
    });
    const latents = await (await read((await encode(context(), { data, model }, encodeOptions())).data)).table();
    for (let k = 0; k < 3; k++)
      valuesOf(latents.columns[`z_${k + 1}`]).forEach((value, row) =>
        expect((answer.latent!.data as Float32Array)[row * 3 + k]).toBeCloseTo(value, 5),
      );
    const { data: exact } = await reconstruct(context(), { data, model }, reconstructOptions({ exact: true }));
    const made = await (await read(exact)).table();
    for (const name of ['mean_radius', 'mean_area', 'tenths'])
      valuesOf(made.columns[name]).forEach((value, row) =>
        expect((answer[`${name}.reconstructed`]!.data as Float64Array)[row]! / value).toBeCloseTo(1, 5),
      );
  });

  it('delivers the same bytes to a destination, nothing beside it, and the same digest again', async () => {
    const out = join(folder, 'out');
    const uri = join(out, 'model.onnx');
    const { file, written } = await exportModel(context(), { model }, options({ uri, outputs: ['latent'] }));
    const { parts } = await artifacts.get(file);
    expect(await readdir(out)).toEqual(['model.onnx']);
    expect(await readFile(uri)).toEqual(Buffer.from(await artifacts.readBlob(parts[0]!.digest)));
    expect(written.outputs).toEqual([{ name: 'latent', type: 'float32', width: 3 }]);
    const again = await exportModel(context(), { model }, options({ outputs: ['latent'] }));
    expect(again.file.digest).toBe(file.digest);
  });

  it('names a destination that cannot be written, and an ending that is none of ONNX', async () => {
    const blocked = join(folder, 'blocked');
    await writeFile(blocked, 'a file');
    await expect(
      exportModel(context(), { model }, options({ uri: join(blocked, 'model.onnx') })),
    ).rejects.toMatchObject({ code: 'SINK_UNWRITABLE', message: expect.stringContaining('blocked/model.onnx') });
    expect(() => options({ uri: 'model.pb' })).toThrow(/must end in \.onnx/);
  });
});

it('the manifests name their stages and take any model', () => {
  expect(Object.entries(plugin.stages).map(([name, { id }]) => [name, id])).toEqual([
    ['encode', 'model/encode'],
    ['reconstruct', 'model/reconstruct'],
    ['export', 'model/export'],
  ]);
  expect(encodeManifest.inputs.model.application).toBeUndefined();
});
