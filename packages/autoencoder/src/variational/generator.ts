import type { CompiledForward, DataArray, Engine } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { EncodedTable } from '../columns/encode.ts';
import { toData } from '../model/data.ts';
import type { Model } from '../model/model.ts';
import { observedInput } from '../model/predictor.ts';
import { rowNats } from './loss.ts';
import { LOG_SIGMA_LIMIT, variationalNetwork, type VariationalNetwork, type VectorColumn } from './network.ts';
import type { HeadGroup } from './heads.ts';

/** Distributions of a group's cells. */
export interface GroupAnswer {
  group: HeadGroup;
  /** `[rows, n, width]`, adding up to 1 over the last axis. */
  probabilities: Float32Array;
  /** Scored groups: `[rows, n, width]` and `[n, width]`. */
  mean?: Float32Array;
  sigma?: Float32Array;
}

/** A list's elements, `[rows, length]`: chances of being on, or means in the encoder's units with the deviation of all. */
export interface VectorAnswer {
  vector: VectorColumn;
  elements: Float32Array;
  sigma?: number;
}

/** What the decoder says of some rows. */
export interface DecoderAnswers {
  groups: GroupAnswer[];
  vectors: VectorAnswer[];
}

/** A variational model on an engine. Dispose it after use. */
export interface GeneratorPasses {
  network: VariationalNetwork;
  latentDim: number;
  /** Latents of encoded rows as normal distributions, `[n, d]` each. */
  posterior(encoded: EncodedTable): Promise<{ mu: Float32Array; logVar: Float32Array }>;
  /** Distributions of all cells of the rows that latents `[n, d]` stand for. */
  distributions(z: Float32Array): Promise<DecoderAnswers>;
  /** −log p(row | latent) in nats, `[n]`, of encoded rows with their targets and latents `[n, d]`. */
  nats(rows: Record<string, DataArray>, z: Float32Array): Promise<Float32Array>;
  dispose(): void;
}

/** Compiles a variational model's passes. */
export async function generatorPasses(engine: Engine, model: Model): Promise<GeneratorPasses> {
  const network = variationalNetwork(model.description.network);
  const { latentDim } = network.spec;
  const params = { ...model.shared, ...model.members[0]! };
  const encode: CompiledForward = await engine.compileForward({
    params,
    batchSize: network.rowsAtOnce,
    forward: (batch, values, context) => ({
      ...network.posterior(network.prepare(observedInput(batch), values), values, context),
    }),
  });
  const decode: CompiledForward = await engine.compileForward({
    params,
    batchSize: network.rowsAtOnce ?? 1024,
    forward: (batch, values, context) => {
      const { heads, vectors } = network.distributions(batch.z!, values, context);
      return Object.fromEntries([
        ...heads.flatMap(({ logits, mean }, g) => [[`logits/${g}`, logits], ...(mean ? [[`mean/${g}`, mean]] : [])]),
        ...vectors.map(({ vector, elements }, k) => [
          `vector/${k}`,
          vector.decoder === 'bernoulli' ? tf.sigmoid(elements) : elements,
        ]),
      ]);
    },
  });
  const judge = await engine.compileForward({
    params,
    batchSize: network.rowsAtOnce,
    forward: (batch, values, context) => ({
      nats: tf.expandDims(rowNats(network.distributions(batch.z!, values, context), batch, values), 1),
    }),
  });
  return {
    network,
    latentDim,
    async posterior(encoded) {
      const { mu, logVar } = await encode.run(toData(encoded));
      return { mu: mu!.values as Float32Array, logVar: logVar!.values as Float32Array };
    },
    async distributions(z) {
      const out = await decode.run({ z: latents(z, latentDim) });
      return {
        groups: network.groups.map((group, g) => ({
          group,
          probabilities: softmax(out[`logits/${g}`]!.values as Float32Array, group.width),
          ...(group.scored
            ? {
                mean: out[`mean/${g}`]!.values as Float32Array,
                sigma: sigmaOf(params[`decoder/sigma/${g}/bias`]!.values),
              }
            : {}),
        })),
        vectors: network.vectors.map((vector, k) => ({
          vector,
          elements: out[`vector/${k}`]!.values as Float32Array,
          ...(vector.decoder === 'gaussian' ? { sigma: sigmaOf(params[`decoder/vector/${k}/sigma`]!.values)[0]! } : {}),
        })),
      };
    },
    async nats(rows, z) {
      const out = await judge.run({ ...rows, z: latents(z, latentDim) });
      return out.nats!.values as Float32Array;
    },
    dispose() {
      encode.dispose();
      decode.dispose();
      judge.dispose();
    },
  };
}

const latents = (z: Float32Array, d: number): DataArray => ({
  dtype: 'float32',
  shape: [z.length / d, d],
  values: z,
});

/** As the network bounds it. */
const sigmaOf = (raw: Float32Array): Float32Array =>
  raw.map((value) => Math.exp(LOG_SIGMA_LIMIT * Math.tanh(value / LOG_SIGMA_LIMIT)));

function softmax(logits: Float32Array, width: number): Float32Array {
  for (let at = 0; at < logits.length; at += width) {
    let most = -Infinity;
    for (let k = 0; k < width; k++) most = Math.max(most, logits[at + k]!);
    let total = 0;
    for (let k = 0; k < width; k++) total += logits[at + k] = Math.exp(logits[at + k]! - most);
    for (let k = 0; k < width; k++) logits[at + k]! /= total;
  }
  return logits;
}
