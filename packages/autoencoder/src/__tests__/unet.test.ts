import { drawUniform, resolveEngine } from '@hourglass/engine';
import { expect, test } from 'vitest';
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
  const whole = imagePredictor(engine, model, (x, net) => net(x), 512);
  const tiled = imagePredictor(engine, model, (x, net) => net(x), 32);
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
  const predictor = imagePredictor(engine, model, (x, net) => net(x), 512);
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
