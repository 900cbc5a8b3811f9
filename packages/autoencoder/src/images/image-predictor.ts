import type { CompiledForward, Engine, StepContext } from '@hourglass/engine';
import { windowsOver } from '@hourglass/images';
import type { Samples } from '@hourglass/metrics';
import type { Tensor } from '@tensorflow/tfjs';
import { disposePass } from '../model/dispose-pass.ts';
import type { Augmentation } from './augmentations.ts';
import type { ImageModel } from './image-model.ts';
import { selfEnsemble } from './self-ensemble.ts';
import { unet } from './unet.ts';

/** A model over pictures on an engine, for pictures of any size. Dispose it after use. */
export interface ImagePredictor {
  /** What `read` makes of the network's answer, for every pixel. */
  run(input: Samples): Promise<Samples>;
  dispose(): void;
}

export interface PredictorOptions {
  /** Mean of the answers to the flips and turns of a picture that the model was trained with. @default false */
  selfEnsemble?: boolean;
  /** Side of the tiles kept, in pixels; a window reads this and the network's surroundings. @default 192 */
  tile?: number;
}

/**
 * Runs the network over windows that see all it can see, so that the size of the tiles leaves no trace.
 * @param read from input and answer `[b, h, w, …]` to what each pixel gets `[b, h, w, outputs]`
 * @throws OPTION_INVALID selfEnsemble of a model that knows one view only
 */
export function imagePredictor(
  engine: Engine,
  model: ImageModel,
  read: (input: Tensor, net: (x: Tensor) => Tensor, context: StepContext) => Tensor,
  { selfEnsemble: overViews = false, tile = 192 }: PredictorOptions = {},
): ImagePredictor {
  const network = unet(model.description.network);
  const halo = network.multiple * Math.ceil(network.radius / network.multiple);
  // One pass serves windows of one size.
  const passes = new Map<string, Promise<CompiledForward>>();
  const passFor = (height: number, width: number): Promise<CompiledForward> => {
    const key = `${height}x${width}`;
    let pass = passes.get(key);
    if (!pass) {
      if (passes.size >= 16) {
        const [oldest, first] = passes.entries().next().value!;
        passes.delete(oldest);
        disposePass(first);
      }
      pass = engine.compileForward({
        params: model.params,
        forward: ({ x }, params, context) => ({ y: read(x!, (h) => network.forward(h, params), context) }),
        batchSize: 1,
      });
      passes.set(key, pass);
    }
    return pass;
  };
  return {
    run: overViews ? selfEnsemble(model.description.options.augment as Augmentation, answer) : answer,
    dispose() {
      for (const pass of passes.values()) disposePass(pass);
      passes.clear();
    },
  };

  async function answer(input: Samples): Promise<Samples> {
    const padded = padTo(input, network.multiple);
    const over = windowsOver(padded.width, padded.height, Math.ceil(tile / network.multiple) * network.multiple, halo);
    const pass = await passFor(over.height, over.width);
    let result: Samples | undefined;
    for (const window of over.windows) {
      const x = crop(padded, window.readLeft, window.readTop, over.width, over.height);
      const y = (
        await pass.run({ x: { dtype: 'float32', shape: [1, x.height, x.width, x.channels], values: x.values } })
      ).y!;
      const channels = y.shape[3]!;
      result ??= plane(padded.width, padded.height, channels);
      for (let row = 0; row < window.keepHeight; row++) {
        const from =
          ((window.keepTop - window.readTop + row) * over.width + window.keepLeft - window.readLeft) * channels;
        result.values.set(
          (y.values as Float32Array).subarray(from, from + window.keepWidth * channels),
          ((window.keepTop + row) * padded.width + window.keepLeft) * channels,
        );
      }
    }
    return crop(result!, 0, 0, input.width, input.height);
  }
}

const plane = (width: number, height: number, channels: number): Samples => ({
  width,
  height,
  channels,
  values: new Float32Array(width * height * channels),
});

/** The edge repeated until both sides are multiples. */
function padTo(input: Samples, multiple: number): Samples {
  const up = (size: number): number => multiple * Math.ceil(size / multiple);
  const [width, height] = [up(input.width), up(input.height)];
  if (width === input.width && height === input.height) return input;
  const { channels } = input;
  const result = plane(width, height, channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (Math.min(y, input.height - 1) * input.width + Math.min(x, input.width - 1)) * channels;
      for (let k = 0; k < channels; k++) result.values[(y * width + x) * channels + k] = input.values[from + k]!;
    }
  return result;
}

function crop(input: Samples, left: number, top: number, width: number, height: number): Samples {
  if (left === 0 && top === 0 && width === input.width && height === input.height) return input;
  const { channels } = input;
  const result = plane(width, height, channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * input.width + left) * channels;
    result.values.set(input.values.subarray(from, from + width * channels), y * width * channels);
  }
  return result;
}
