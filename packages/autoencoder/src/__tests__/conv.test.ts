import { resolveEngine } from '@hourglass/engine';
import type { DatasetReader } from '@hourglass/dataset';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeTable } from '../columns/encode.ts';
import type { ImageShape } from '../network/image-shape.ts';
import type { NetworkSpec } from '../network/network.ts';
import { predictor } from '../model/predictor.ts';
import { exportModel } from '../onnx/export-model.ts';
import { identity, learn, lessonOf, modelOf } from './support/learning.ts';
import { listedDigits, temporaryStore } from './support/workbench.ts';

let place: Awaited<ReturnType<typeof temporaryStore>>;
let digits: DatasetReader;

beforeAll(async () => {
  place = await temporaryStore();
  digits = await listedDigits(place.artifacts, 400, 'v AS pixels');
});
afterAll(() => place.remove());

const ofImages = (image: ImageShape) => ({
  ...identity,
  vectors: true,
  network: (spec: NetworkSpec): NetworkSpec => ({ ...spec, architecture: 'conv', image }),
});
const options = { latentDim: 8, width: 16, blocks: 1, learningRate: 0.01 } as const;

/** A lesson of the digits, and what an engine learned in it. */
async function learned(name: 'onnxruntime' | 'cpu', epochs: number) {
  const engine = await resolveEngine(name);
  const lesson = await lessonOf(digits, { ...options, epochs }, ofImages([8, 8]));
  const { trained } = await learn(engine, lesson);
  return { engine, lesson, trained };
}

describe('a network of convolutions', () => {
  it('learns images, the same on every engine that is here, and its file answers as it does', async () => {
    const { engine, lesson, trained } = await learned('onnxruntime', 30);
    const untrained = trained.curve[0]!.validationLoss!;
    // The mean of all digits costs 1.
    expect(untrained).toBeGreaterThan(0.9);
    expect(trained.validationLoss).toBeLessThan(0.35);
    expect((await learned('cpu', 1)).trained.curve[0]!.validationLoss).toBeCloseTo(untrained, 4);

    const model = modelOf(lesson, [trained.params], { application: 'identity', version: 1 });
    const table = await digits.table(['pixels']);
    const latents = await predictor(engine, model).latents(encodeTable(lesson.encoder, table));
    const session = await InferenceSession.create((await exportModel(model, { outputs: ['latent'] })).bytes);
    const raw = Float32Array.from(table.vectors!.pixels!.values);
    const found = await session.run({ pixels: new Tensor('float32', raw, [400, 64]) });
    const given = found.latent!.data as Float32Array;
    latents.forEach((value, i) => expect(Math.abs(value - given[i]!)).toBeLessThan(1e-4));
  });

  it.each([
    // Halved twice, once, never.
    [[8, 8], 2 * 2 * 16, 2 * (8 + 16)],
    [[2, 32], 1 * 16 * 16, 2 * 16],
    [[1, 64], 64 * 16, 2 * 16],
  ] as const)('of %s pixels ends in %i numbers and has %i hidden ones', async (image, flat, hidden) => {
    const { network } = await lessonOf(digits, options, ofImages(image));
    expect(network.init(1)['encoder/latent/kernel']!.shape).toEqual([flat, 8]);
    expect(network.activationWidth).toBe(8 + hidden);
  });
});
