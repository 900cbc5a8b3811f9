import * as tf from '@tensorflow/tfjs';
import type { StepContext } from '@hourglass/engine';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { columnCount, realWidth, valueColumns, valueWidth } from '../columns/encoder.ts';
import { answerBounds, withinBounds } from './answer-bounds.ts';
import { BODIES } from './bodies/bodies.ts';
import { gaussianFill } from './gaussian-fill.ts';
import { gaussianPrior } from './gaussian-prior.ts';
import { embeddingWidth, ParamBuilder } from './init.ts';
import { pcaBase, pcaDecode, pcaEncode } from './pca-base.ts';
import { embed, onFirst, type Params } from './layers.ts';
import { spreadCells } from './vector-cells.ts';
import { outputWidth, type Network, type NetworkSpec, type PreparedInput, type TableInput } from './network.ts';
import { knotFacts, numberKnots } from './knots.ts';
import { columnBounds, inPieces, pieceBounds } from './pieces.ts';

/** The network of tables: `[x·m, m, embeddings, cycles·m]` → body → latent → body → one output a column or class. */
export function tabularNetwork(spec: NetworkSpec): Network {
  const { layout, latentDim } = spec;
  const output = outputWidth(spec);
  const distributed = spec.answers === 'distribution' && layout.numbers > 0;
  const values = valueWidth(layout);
  const reals = realWidth(layout);
  const pieces = spec.pieces ?? 0;
  const inputWidth = tabularInputWidth(spec);
  const pca = spec.base === 'pca' && reals > 0;
  const body = BODIES[spec.architecture](spec, { inputs: inputWidth, outputs: output, onComponents: pca });

  /** Latents, and the hidden activations on the way to them. */
  const encoder = ({ row }: PreparedInput, params: Params, context: StepContext): { z: Tensor; layers: Tensor[] } => {
    const { y: z, layers } = body.encode(row, params, context);
    if (!pca) return { z, layers };
    const numbers = tf.slice(row, [0, 0], [row.shape[0]!, reals]);
    return { z: tf.add(z, pcaEncode(numbers, params)), layers };
  };

  /** The last layer, from the decoder's activations. */
  const head = (y: Tensor, z: Tensor, params: Params, context: StepContext, input?: PreparedInput): Tensor => {
    const answer = freely(y, z, params, input);
    return spec.bounded && reals > 0 ? withinBounds(answer, params, context) : answer;
  };
  const freely = (y: Tensor, z: Tensor, params: Params, input?: PreparedInput): Tensor => {
    const answer = body.answer(y, params, spec.skip !== 'none' && !input);
    return onto(input?.base, pca ? onto(pcaDecode(z, params), answer) : answer);
  };

  return {
    spec,
    rowsAtOnce: body.rowsAtOnce,
    init(seed) {
      const build = new ParamBuilder(seed);
      layout.categories.forEach(({ codes }, k) => build.embedding(`embed/${k}`, codes, embeddingWidth(codes)));
      body.init(build);
      if (spec.skip === 'linear') build.zeros('linear/kernel', [inputWidth, output]);
      return build.params;
    },
    async prior(encoded, columns, entered) {
      const bounds = pieces > 0 ? columnBounds(encoded, layout.numbers, values, pieces, knotFacts) : [];
      return {
        ...(spec.skip === 'gaussian' ? await gaussianPrior(encoded, values, entered) : {}),
        ...(pca ? pcaBase(encoded, spec) : {}),
        ...(bounds.length > 0 ? pieceBounds(bounds, pieces) : {}),
        ...(distributed ? numberKnots(bounds, pieces) : {}),
        ...(spec.bounded ? answerBounds(columns) : {}),
      };
    },
    prepare(input, params) {
      const row = assemble(input, params, spec);
      if (spec.skip === 'linear') return { row, base: tf.matMul(row as Tensor2D, params['linear/kernel'] as Tensor2D) };
      // A distribution has no single value to correct: the body sees the filled cells, the head answers by itself.
      if (spec.skip === 'gaussian' && layout.numbers > 0 && !distributed)
        return { row, base: tf.slice(row, [0, 0], [row.shape[0]!, layout.numbers]) };
      return { row };
    },
    encode: (input, params, context) => encoder(input, params, context).z,
    activationWidth: latentDim + body.hiddenWidth,
    activations(input, params, context) {
      const { z, layers } = encoder(input, params, context);
      return tf.concat([...layers, z, ...body.decode(z, params, context).layers], 1);
    },
    decode: (z, params, context, input) => head(body.decode(z, params, context).y, z, params, context, input),
    decodeBoth(z, params, context, input) {
      const { y } = body.decode(z, params, context);
      const alone = head(y, z, params, context);
      return { alone, answer: spec.skip === 'none' ? alone : head(y, z, params, context, input) };
    },
  };
}

/** Width of the row that {@link assemble} makes. */
export function tabularInputWidth({ layout, pieces = 0 }: NetworkSpec): number {
  return (
    valueWidth(layout) +
    columnCount(layout) +
    layout.numbers * pieces +
    layout.cycles.reduce((sum, cycle) => sum + cycle.width, 0) +
    layout.categories.reduce((sum, { codes }) => sum + embeddingWidth(codes), 0)
  );
}

/** Adds a prediction of all outputs, or of the first ones. */
const onto = (base: Tensor | undefined, y: Tensor): Tensor =>
  base ? onFirst(y, base.shape[1]!, (part) => tf.add(base, part)) : y;

/** The network's input row: hidden and missing cells are 0 and their mask says so. */
export function assemble(input: TableInput, params: Params, spec: NetworkSpec): Tensor {
  const { layout } = spec;
  const rows = input.mask.shape[0]!;
  const values = valueColumns(layout);
  const parts: Tensor[] = [];
  if (values > 0) {
    const cells = values === columnCount(layout) ? input.mask : tf.slice(input.mask, [0, 0], [rows, values]);
    const mask = layout.vectors ? spreadCells(cells, layout) : cells;
    parts.push(
      spec.skip === 'gaussian'
        ? gaussianFill(input.x!, mask, params['skip/mean']!, params['skip/precision']!, params['skip/scale']!)
        : tf.mul(input.x!, mask),
    );
  }
  parts.push(input.mask);
  if (spec.pieces && layout.numbers > 0) {
    const numbers = (cells: Tensor): Tensor =>
      cells.shape[1] === layout.numbers ? cells : tf.slice(cells, [0, 0], [rows, layout.numbers]);
    parts.push(inPieces(numbers(input.x!), numbers(input.mask), params));
  }
  layout.categories.forEach((_, k) => {
    const mask = tf.slice(input.mask, [0, values + k], [rows, 1]);
    const code = tf.cast(tf.slice(input.codes!, [0, k], [rows, 1]), 'float32');
    // A hidden cell gets the code of a missing one, 0.
    parts.push(embed(tf.reshape(tf.mul(code, mask), [rows]), params, `embed/${k}`));
  });
  let at = 0;
  for (const { column, width } of layout.cycles) {
    const mask = tf.slice(input.mask, [0, column], [rows, 1]);
    parts.push(tf.mul(tf.slice(input.cycles!, [0, at], [rows, width]), mask));
    at += width;
  }
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 1);
}
