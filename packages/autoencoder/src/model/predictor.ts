import type { CompiledForward, DataArray, Engine } from '@hourglass/engine';
import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Reconstruction } from '../columns/decode.ts';
import type { EncodedTable } from '../columns/encode.ts';
import { buildNetwork } from '../network/build.ts';
import type { TableInput } from '../network/network.ts';
import { knotsOf } from '../network/knots.ts';
import { readOutput } from '../network/table-loss.ts';
import { toBatch, toData } from './data.ts';
import { disposePass } from './dispose-pass.ts';
import type { Model } from './model.ts';
import { rowError } from './row-error.ts';

/** A model on an engine, ready for encoded rows of any number. Dispose it after use. */
export interface Predictor {
  /** What each cell should hold, mean over the members. */
  reconstruct(encoded: EncodedTable): Promise<Reconstruction>;
  /** How far what the latent holds is from the row, `[n]`, mean over the members: about 1 where only marginals are known. */
  errors(encoded: EncodedTable): Promise<Float32Array>;
  /** Latents `[n, d]` of the first member: those of different members have different axes. */
  latents(encoded: EncodedTable): Promise<Float32Array>;
  /** f, columns of `activations`. */
  activationWidth: number;
  /** Hidden activations, latents among them, `[n, f]` of the first member: deep features. */
  activations(encoded: EncodedTable): Promise<Float32Array>;
  /** Cells from latents `[n, d]` of the first member alone. */
  fromLatents(z: Float32Array): Promise<Reconstruction>;
  dispose(): void;
}

/** Compiles a model's forward passes, each on first use. */
export function predictor(engine: Engine, model: Model): Predictor {
  const network = buildNetwork(model.description.network);
  const { layout, latentDim } = network.spec;
  const compiled = new Map<string, Promise<CompiledForward>>();
  const forward = (key: string, member: number, run: Parameters<Engine['compileForward']>[0]['forward']) => {
    let made = compiled.get(key);
    if (!made)
      compiled.set(
        key,
        (made = engine.compileForward({
          params: { ...model.shared, ...model.members[member]! },
          forward: run,
          batchSize: network.rowsAtOnce,
        })),
      );
    return made;
  };
  return {
    async reconstruct(encoded) {
      const data = toData(encoded);
      const outputs: Record<string, DataArray>[] = [];
      for (let member = 0; member < model.members.length; member++) {
        const pass = await forward(`reconstruct/${member}`, member, (batch, params, context) => {
          const prepared = network.prepare(observedInput(batch), params);
          const z = network.encode(prepared, params, context);
          return readOutput(network.decode(z, params, context, prepared), layout, knotsOf(params));
        });
        outputs.push(await pass.run(data));
      }
      return toReconstruction(encoded.rows, outputs, layout.categories.length);
    },
    async errors(encoded) {
      const data = toData(encoded);
      const errors = new Float32Array(encoded.rows);
      for (let member = 0; member < model.members.length; member++) {
        const pass = await forward(`errors/${member}`, member, (batch, params, context) => {
          const z = network.encode(network.prepare(observedInput(batch), params), params, context);
          return { error: rowError(batch, network.decode(z, params, context), layout, params) };
        });
        (await pass.run(data)).error!.values.forEach((error, row) => (errors[row]! += error / model.members.length));
      }
      return errors;
    },
    async latents(encoded) {
      const pass = await forward('latents', 0, (batch, params, context) => ({
        z: network.encode(network.prepare(observedInput(batch), params), params, context),
      }));
      return (await pass.run(toData(encoded))).z!.values as Float32Array;
    },
    activationWidth: network.activationWidth,
    async activations(encoded) {
      const pass = await forward('activations', 0, (batch, params, context) => ({
        f: network.activations(network.prepare(observedInput(batch), params), params, context),
      }));
      return (await pass.run(toData(encoded))).f!.values as Float32Array;
    },
    async fromLatents(z) {
      const rows = z.length / latentDim;
      const pass = await forward('decode', 0, (batch, params, context) =>
        readOutput(network.decode(batch.z!, params, context), layout, knotsOf(params)),
      );
      const output = await pass.run({ z: { dtype: 'float32', shape: [rows, latentDim], values: z } });
      return toReconstruction(rows, [output], layout.categories.length);
    },
    dispose() {
      for (const pass of compiled.values()) disposePass(pass);
      compiled.clear();
    },
  };
}

/** All observed cells as input. */
export function observedInput(batch: Record<string, Tensor>): TableInput {
  const { x, w, codes, cycles } = toBatch(batch);
  return { x, mask: tf.step(w), codes, cycles };
}

function toReconstruction(rows: number, outputs: Record<string, DataArray>[], categories: number): Reconstruction {
  const mean = (name: string): Float32Array => {
    const arrays = outputs.map((output) => output[name]?.values as Float32Array | undefined);
    const first = arrays[0];
    if (!first) return new Float32Array(0);
    if (arrays.length === 1) return first;
    return first.map((_, i) => arrays.reduce((sum, array) => sum + array![i]!, 0) / arrays.length);
  };
  return {
    rows,
    values: mean('values'),
    probabilities: Array.from({ length: categories }, (_, k) => mean(`class/${k}`)),
  };
}
