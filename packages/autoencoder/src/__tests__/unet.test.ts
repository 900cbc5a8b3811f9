import { drawUniform, resolveEngine } from '@hourglass/engine';
import { describe, expect, test } from 'vitest';
import type { Augmentation } from '../images/augmentations.ts';
import type { ImageModel } from '../images/image-model.ts';
import type { Samples } from '@hourglass/metrics';
import { imagePredictor } from '../images/image-predictor.ts';
import { unet, type UnetSpec } from '../images/unet.ts';

const spec: UnetSpec = { kind: 'unet', inputs: 3, outputs: 2, width: 4, levels: 3, blocks: 1 };
const network = unet(spec);
/** Weights of a net whose answers reach far: as initialised, but with blocks that count. */
const params = Object.fromEntries(
  Object.entries(network.init(3)).map(([name, { shape, values }]) => [
    name,
    { shape, values: values.map((value) => (name.includes('second') || name.startsWith('out') ? 10 * value : value)) },
  ]),
);
const model = { description: { network: spec }, params } as unknown as ImageModel;
const picture = (width: number, height: number): Samples => ({
  width,
  height,
  channels: 3,
  values: drawUniform({ seed: 5, domain: 'train', step: 0, call: 0 }, width * height * 3),
});
const engine = await resolveEngine('onnxruntime');

test('tiles join without a seam: the answer is that of one pass over the whole picture', async () => {
  const image = picture(150, 107);
  const whole = imagePredictor(engine, model, (x, net) => net(x), { tile: 512 });
  const tiled = imagePredictor(engine, model, (x, net) => net(x), { tile: 32 });
  const expected = await whole.run(image);
  const found = await tiled.run(image);
  expect(found).toMatchObject({ width: 150, height: 107, channels: 2 });
  const difference = found.values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.values[i]!)), 0);
  expect(difference).toBeLessThan(1e-4);
  whole.dispose();
  tiled.dispose();
});

test('a pixel depends on its surroundings within the radius, and on nothing beyond', async () => {
  const side = 4 * Math.ceil((2 * network.radius + 8) / 4);
  const image = picture(side, side);
  const predictor = imagePredictor(engine, model, (x, net) => net(x), { tile: 512 });
  const before = await predictor.run(image);
  const middle = side >> 1;
  const changed = { ...image, values: image.values.slice() };
  changed.values[(middle * side + middle) * 3]! += 1;
  const after = await predictor.run(changed);
  let reach = 0;
  before.values.forEach((value, i) => {
    if (value === after.values[i]) return;
    const [x, y] = [(i >> 1) % side, Math.floor((i >> 1) / side)];
    reach = Math.max(reach, Math.abs(x - middle), Math.abs(y - middle));
  });
  expect(reach).toBeGreaterThan(network.radius / 3);
  expect(reach).toBeLessThanOrEqual(network.radius);
  predictor.dispose();
});

test('pictures of one pixel and of odd sides are answered', async () => {
  const predictor = imagePredictor(engine, model, (x, net) => net(x));
  expect((await predictor.run(picture(1, 1))).values).toHaveLength(2);
  expect((await predictor.run(picture(7, 3))).values).toHaveLength(42);
  predictor.dispose();
});

describe('self-ensemble', () => {
  const trained = (augment: Augmentation): ImageModel =>
    ({ params, description: { network: spec, options: { augment } } }) as unknown as ImageModel;
  /** Rows and columns changed, as a picture turned and swapped is. */
  function transposed({ width, height, channels, values }: Samples): Samples {
    const other = new Float32Array(values.length);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let k = 0; k < channels; k++)
          other[(x * height + y) * channels + k] = values[(y * width + x) * channels + k]!;
    return { width: height, height: width, channels, values: other };
  }
  function mirrored({ width, height, channels, values }: Samples): Samples {
    const other = new Float32Array(values.length);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let k = 0; k < channels; k++)
          other[(y * width + width - 1 - x) * channels + k] = values[(y * width + x) * channels + k]!;
    return { width, height, channels, values: other };
  }
  const furthest = (a: Samples, b: Samples): number =>
    a.values.reduce((most, value, i) => Math.max(most, Math.abs(value - b.values[i]!)), 0);

  test.each([
    ['all', [true, true]],
    ['mirror', [true, false]],
  ] as const)('%s: turned as drawn in training, a picture has the same answer turned', async (augment, known) => {
    const image = picture(12, 8);
    const predictor = imagePredictor(engine, trained(augment), (x, net) => net(x), { selfEnsemble: true });
    const answer = await predictor.run(image);
    expect(answer).toMatchObject({ width: 12, height: 8, channels: 2 });
    // Whichever way up: left and right swapped; a quarter turn is that after rows and columns have changed places.
    const turns = [mirrored, (one: Samples) => mirrored(transposed(one))];
    for (const [i, turn] of turns.entries()) {
      const difference = furthest(turn(answer), await predictor.run(turn(image)));
      if (known[i]) expect(difference).toBeLessThan(1e-5);
      else expect(difference).toBeGreaterThan(1e-2);
    }
    predictor.dispose();
  });

  test('is refused where training drew no other views', () => {
    expect(() => imagePredictor(engine, trained('none'), (x, net) => net(x), { selfEnsemble: true })).toThrow(
      /trained with augment: none and knows no other views/,
    );
  });

  test('is the mean of both views, and off unless asked for', async () => {
    const image = picture(12, 8);
    const plain = imagePredictor(engine, trained('mirror'), (x, net) => net(x));
    const both = imagePredictor(engine, trained('mirror'), (x, net) => net(x), { selfEnsemble: true });
    const [one, other] = [await plain.run(image), mirrored(await plain.run(mirrored(image)))];
    const values = one.values.map((value, i) => (value + other.values[i]!) / 2);
    expect(furthest(one, other)).toBeGreaterThan(1e-2);
    expect(furthest(await both.run(image), { ...one, values })).toBeLessThan(1e-6);
    plain.dispose();
    both.dispose();
  });
});
