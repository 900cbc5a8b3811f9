import { resolveEngine } from '@hourglass/engine';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { openDataset, queryDataset, type DatasetReader, type Table } from '@hourglass/dataset';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainMember } from '../application/learn.ts';
import { decodeTable } from '../columns/decode.ts';
import { encodeTable } from '../columns/encode.ts';
import { tableLayout } from '../columns/encoder.ts';
import { fitTable } from '../columns/fit.ts';
import { checkSchema } from '../columns/schema.ts';
import { predictor } from '../model/predictor.ts';
import { loadModel, saveModel } from '../model/save.ts';
import { exportModel } from '../onnx/export-model.ts';
import { identity, lessonOf, modelOf } from './support/learning.ts';
import { listedDigits, temporaryStore } from './support/workbench.ts';

let place: Awaited<ReturnType<typeof temporaryStore>>;
/** Real digits: 64 pixels in one column, the brightness and whether it is even beside them; some pixels are missing. */
let digits: DatasetReader;

const open = async (sql: string): Promise<DatasetReader> =>
  openDataset(place.artifacts, await queryDataset(place.artifacts, { inputs: {}, sql }));

beforeAll(async () => {
  place = await temporaryStore();
  digits = await listedDigits(
    place.artifacts,
    300,
    `list_sum(v)::DOUBLE AS ink, CASE WHEN i % 50 <> 7 THEN v END AS pixels, label % 2 = 0 AS even, 'class ' || label AS label`,
  );
});
afterAll(() => place.remove());

const vectors = { ...identity, vectors: true };
const columns = ['ink', 'pixels', 'even', 'label'];

describe('a vector column', () => {
  it('is one cell of one block: its elements share a scale, and the mean of them costs what a column costs', async () => {
    const { encoder } = await fitTable(digits, { vectors: true });
    expect(encoder.columns.map(({ kind }) => kind)).toEqual(['number', 'vector', 'boolean', 'category']);
    expect(tableLayout(encoder)).toMatchObject({ numbers: 1, vectors: [64], booleans: 1 });
    const table = await digits.table(columns);
    const { x, w } = encodeTable(encoder, table);
    expect(x).toHaveLength(300 * 66);
    expect(w).toHaveLength(300 * 4);
    // Row 7 (the first with i % 50 = 7 is the seventh) has no pixels: its block is 0 and its one cell says so.
    expect([...x.subarray(6 * 66 + 1, 6 * 66 + 65)]).toEqual(new Array(64).fill(0));
    expect(w[6 * 4 + 1]).toBe(0);
    let squares = 0;
    for (let row = 0; row < 300; row++) for (let j = 1; j < 65; j++) squares += x[row * 66 + j]! ** 2 / 64;
    expect(squares / (300 - 6)).toBeCloseTo(1, 5);
  });

  it('comes back in its own units, whole and in range, a model saved and loaded in between', async () => {
    const engine = await resolveEngine('onnxruntime');
    const lesson = await lessonOf(digits, { latentDim: 24, width: 64, epochs: 40, blocks: 1 }, vectors);
    const trained = await trainMember(engine, lesson, 0, {});
    const model = modelOf(lesson, [trained.params], {
      format: 1,
      application: 'identity',
      version: 1,
      readOut: identity.readOut,
      options: {},
    });
    const again = await loadModel(place.artifacts, await saveModel(place.artifacts, model));
    expect(again.encoder).toEqual(model.encoder);
    const table = await digits.table(columns);
    const answer = predictor(engine, again);
    const decoded = decodeTable(again.encoder, await answer.reconstruct(encodeTable(again.encoder, table)));
    const truth = table.vectors!.pixels!.values;
    const { values, length } = decoded.vectors!.pixels!;
    expect([length, values.length]).toEqual([64, 300 * 64]);
    expect(values.every((value) => Number.isInteger(value) && value >= 0 && value <= 16)).toBe(true);
    const { center } = model.encoder.columns[1] as { center: Float64Array };
    let [error, spread] = [0, 0];
    for (let i = 0; i < values.length; i++)
      if (!Number.isNaN(truth[i]!)) {
        error += (values[i]! - truth[i]!) ** 2;
        spread += (truth[i]! - center[i % 64]!) ** 2;
      }
    // The latent holds most of a digit: less than half of the variance is lost.
    expect(error / spread).toBeLessThan(0.5);

    const { bytes, inputs, outputs } = await exportModel(again, { outputs: ['latent', 'reconstructed', 'error'] });
    expect(inputs.find(({ name }) => name === 'pixels')).toEqual({
      name: 'pixels',
      type: 'float32',
      width: 64,
      missing: 'NaN',
    });
    expect(outputs.find(({ name }) => name === 'pixels.reconstructed')).toMatchObject({ width: 64 });
    const session = await InferenceSession.create(bytes);
    const given = await session.run(feeds(table));
    expect([...(given['pixels.reconstructed']!.data as Float32Array)]).toEqual([...values].map(Math.fround));
    const latents = await answer.latents(encodeTable(again.encoder, table));
    (given.latent!.data as Float32Array).forEach((z, i) => expect(z).toBeCloseTo(latents[i]!, 4));
    answer.dispose();
  });

  it('with a hole, of another length, or where it is not learned, is refused by name', async () => {
    const { encoder } = await fitTable(digits, { vectors: true });
    const table = structuredClone(await digits.table(columns));
    table.vectors!.pixels!.values[3 * 64 + 5] = NaN;
    expect(() => encodeTable(encoder, table, 100)).toThrow(
      'column "pixels": element 6 of the vector in row 103 is NaN; a vector has all its elements or is missing (NULL) as a whole',
    );
    table.vectors!.pixels!.values[3 * 64 + 5] = Infinity;
    expect(() => encodeTable(encoder, table)).toThrow('element 6 of the vector in row 3 is infinite');
    const other = await open(`SELECT 1.5 AS ink, [1, 2, 3]::UTINYINT[] AS pixels, true AS even, 'class 1' AS label`);
    expect(() => checkSchema(encoder, other.columns)).toThrow(
      'changed type: pixels (was vector of 64 numbers, is vector of 3 numbers)',
    );
    const ragged = await open(
      `SELECT 1.5 AS ink, unnest([[1, 2], [3]])::UTINYINT[] AS pixels, true AS even, 'class 1' AS label`,
    );
    expect(() => checkSchema(encoder, ragged.columns)).toThrow(
      'pixels (was vector of 64 numbers, is UTINYINT[] of differing lengths or with missing elements)',
    );
    await expect(fitTable(digits)).rejects.toThrow(
      'column "pixels" has type UTINYINT[], which is not learned; lists are not learned by this stage: give it a column for each number (of pictures data/pixels with layout: columns)',
    );
  });

  it('is what pictures are to become before they are learned', async () => {
    const pictures = await open(`SELECT {'bytes': 'x'::BLOB, 'path': 'a.png'} AS image, 'cat' AS label`);
    const message =
      'column "image" has type STRUCT(bytes BLOB, path VARCHAR), which is not learned; pictures are learned as numbers: make rows of their pixels with data/pixels';
    await expect(fitTable(pictures, { vectors: true })).rejects.toThrow(`${message};`);
    await expect(fitTable(pictures)).rejects.toThrow(`${message} (layout: columns);`);
  });
});

const feeds = ({ rows, columns: cells, vectors: lists }: Table): Record<string, Tensor> => {
  const of = (name: string): Float64Array => (cells[name] as { values: Float64Array }).values;
  const label = cells.label as { codes: Int32Array; categories: string[] };
  return {
    ink: new Tensor('float64', of('ink'), [rows, 1]),
    pixels: new Tensor('float32', lists!.pixels!.values as Float32Array, [rows, 64]),
    even: new Tensor('bool', Uint8Array.from(of('even')), [rows, 1]),
    label: new Tensor(
      'string',
      Array.from(label.codes, (code) => label.categories[code]!),
      [rows, 1],
    ),
  };
};
