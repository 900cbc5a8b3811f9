import { deriveSeed, type ArtifactRef } from '@hourglass/core';
import type { DataArray, StepContext } from '@hourglass/engine';
import type { RawImage } from '@hourglass/images';
import type { StageContext } from '@hourglass/runtime';
import type { Tensor } from '@tensorflow/tfjs';
import { MODEL_FORMAT, type ReadOut } from '../model/model.ts';
import { reportProgress } from '../training/report-progress.ts';
import type { RowSource } from '../training/row-source.ts';
import type { RowLoss } from '../training/task.ts';
import { train } from '../training/train.ts';
import { trainedMetrics } from '../training/trained-metrics.ts';
import type { ImageAnswer } from './image-answer.ts';
import { saveImageModel } from './image-model.ts';
import type { ImageLearnerMetrics, ImageLearnerOptions } from './image-options.ts';
import { cutPatches, type Patches } from './patches.ts';
import { unet } from './unet.ts';

/** What makes an application over pictures: input and target, loss, read-out. The rest is shared. */
export interface ImageApplication<O extends ImageLearnerOptions, F extends Record<string, unknown>> {
  name: string;
  version: number;
  readOut: ReadOut;
  /** Channels the pictures are read with. @default as the first is */
  channels?: 1 | 3;
  /** Pictures to learn from. @default all */
  accept?(options: O): ((image: RawImage) => boolean) | undefined;
  /** What is said of the others, after `3 of 20 pictures`. @default are left out */
  leftOut?: string;
  /** What is taken from the pictures besides weights: JSON. */
  fit(patches: Patches, options: O): F;
  /** Channels of the network. */
  network(fitted: F, options: O): { inputs: number; outputs: number };
  /** How its answer is read, for files of the model. */
  answer(fitted: F, options: O): ImageAnswer;
  /** Squares as the numbers the loss is given, `[n, side, side, …]` each. @param first number of the first of them, for draws of their own */
  encode(
    patches: Patches,
    first: number,
    fitted: F,
    options: O,
    seed: number,
  ): Promise<Record<string, DataArray>> | Record<string, DataArray>;
  /** Written once in ordinary tfjs; `net` is the U-Net. Loss and weight of each square `[b]`. */
  rowLoss(
    batch: Record<string, Tensor>,
    net: (x: Tensor) => Tensor,
    context: StepContext,
    fitted: F,
    options: O,
  ): RowLoss;
}

/** The train stage of an application over pictures: dataset in, model and metrics out. */
export function defineImageApplication<O extends ImageLearnerOptions, F extends Record<string, unknown>>(
  application: ImageApplication<O, F>,
): (
  context: StageContext,
  inputs: { data: ArtifactRef },
  options: O,
) => Promise<{ model: ArtifactRef; metrics: ImageLearnerMetrics }> {
  return async (context, { data }, options) => {
    context.progress(0, 'reading the pictures');
    const { seed } = context;
    const {
      train: patches,
      validation,
      images,
      skipped,
    } = await cutPatches(context.artifacts, data, {
      where: `${application.name}/train`,
      ...options,
      multiple: 2 ** (options.levels - 1),
      channels: application.channels,
      seed,
      accept: application.accept?.(options),
      signal: context.signal,
    });
    if (skipped > 0)
      context.log.warn(`${skipped} of ${skipped + images} pictures ${application.leftOut ?? 'are left out'}`);
    const fitted = application.fit(patches, options);
    const { width, levels, blocks } = options;
    const network = unet({ kind: 'unet', ...application.network(fitted, options), width, levels, blocks });
    const engine = await context.engine();
    const encode = async (chosen: Patches, first: number): Promise<Record<string, DataArray>> =>
      application.encode(chosen, first, fitted, options, deriveSeed(seed, 'encode'));
    const trained = await train(
      engine,
      {
        params: network.init(deriveSeed(seed, 'network')),
        data: await inShards(patches, encode, options),
        validation: validation && (await encode(validation, patches.count)),
        validationBatch: options.batchSize,
        rowLoss: (batch, params, step) =>
          application.rowLoss(batch, (x) => network.forward(x, params), step, fitted, options),
      },
      { ...options, seed },
      {
        signal: context.signal,
        resume: await context.checkpoint.load(),
        save: (checkpoint) => context.checkpoint.save(checkpoint),
        progress: (progress) => reportProgress(context, progress, 0, 1, 0, 1),
      },
    );
    const model = await saveImageModel(context.artifacts, {
      description: {
        format: MODEL_FORMAT,
        input: 'images',
        application: application.name,
        version: application.version,
        readOut: application.readOut,
        network: network.spec,
        answer: application.answer(fitted, options),
        options: { ...options },
        fitted,
        seed,
        engine: engine.class,
        rows: patches.count,
      },
      params: trained.params,
    });
    await context.artifacts.annotate(model.digest, { curves: [trained.curve] });
    return {
      model,
      metrics: {
        ...trainedMetrics(trained),
        images,
        patches: patches.count,
        skipped,
      },
    };
  };
}

/** Squares stay bytes; as numbers only as many are held as `shardMiB` allows. */
async function inShards(
  patches: Patches,
  encode: (patches: Patches, first: number) => Promise<Record<string, DataArray>>,
  { shardMiB, batchSize }: ImageLearnerOptions,
): Promise<Record<string, DataArray> | RowSource> {
  const rowBytes = bytesOf(await encode(some(patches, 0, 1), 0));
  const shardBytes = shardMiB * 2 ** 20;
  if (rowBytes * patches.count <= shardBytes) return encode(patches, 0);
  const blockRows = batchSize * Math.max(1, Math.min(32, Math.floor(shardBytes / (2 * batchSize * rowBytes))));
  return {
    rows: patches.count,
    blockRows,
    rowBytes,
    shardBytes,
    async read(blocks) {
      const pieces: Record<string, DataArray>[] = [];
      for (const block of blocks) {
        const first = block * blockRows;
        pieces.push(await encode(some(patches, first, Math.min(blockRows, patches.count - first)), first));
      }
      return Object.fromEntries(
        Object.keys(pieces[0]!).map((name) => [name, joinArrays(pieces.map((piece) => piece[name]!))]),
      );
    },
  };
}

const bytesOf = (arrays: Record<string, DataArray>): number =>
  Object.values(arrays).reduce((sum, { values }) => sum + values.byteLength, 0);

function some({ side, channels, data }: Patches, first: number, count: number): Patches {
  const size = side * side * channels;
  return { side, channels, count, data: data.subarray(first * size, (first + count) * size) };
}

function joinArrays(arrays: DataArray[]): DataArray {
  const [first] = arrays;
  const rows = arrays.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const values = new (first!.dtype === 'float32' ? Float32Array : Int32Array)(
    arrays.reduce((sum, array) => sum + array.values.length, 0),
  );
  let at = 0;
  for (const array of arrays) {
    values.set(array.values, at);
    at += array.values.length;
  }
  return { dtype: first!.dtype, shape: [rows, ...first!.shape.slice(1)], values } as DataArray;
}
