import * as tf from '@tensorflow/tfjs';
import type { StepContext } from '@hourglass/engine';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { columnCount, realWidth, valueColumns, valueWidth } from '../columns/encoder.ts';
import { answerBounds, withinBounds } from './answer-bounds.ts';
import { gaussianFill } from './gaussian-fill.ts';
import { gaussianPrior } from './gaussian-prior.ts';
import { embeddingWidth, ParamBuilder } from './init.ts';
import { pcaBase, pcaDecode, pcaEncode } from './pca-base.ts';
import { dense, dropout, embed, gelu, layerNorm, onFirst, type Params } from './layers.ts';
import { spreadCells } from './vector-cells.ts';
import { outputWidth, type Network, type NetworkSpec, type PreparedInput, type TableInput } from './network.ts';
import { knotFacts, numberKnots } from './knots.ts';
import { columnBounds, inPieces, pieceBounds } from './pieces.ts';

/** The network of tables: `[x·m, m, embeddings, cycles·m]` → body → latent → body → one output a column or class. */
export function tabularNetwork(spec: NetworkSpec): Network {
  const { layout, latentDim, width, blocks, architecture } = spec;
  const output = outputWidth(spec);
  const distributed = spec.answers === 'distribution' && layout.numbers > 0;
  const values = valueWidth(layout);
  const reals = realWidth(layout);
  const pieces = spec.pieces ?? 0;
  const inputWidth = tabularInputWidth(spec);
  const hidden = hiddenWidths(spec, inputWidth);
  const pca = spec.base === 'pca' && reals > 0;

  /** Latents, and the hidden activations on the way to them. */
  const encoder = ({ row }: PreparedInput, params: Params, context: StepContext): { z: Tensor; layers: Tensor[] } => {
    const layers: Tensor[] = [];
    let y = row;
    if (architecture !== 'residual')
      for (let k = 0; k < hidden.length; k++) layers.push((y = gelu(dense(y, params, `encoder/${k}`))));
    else {
      y = dense(y, params, 'encoder/in');
      for (let k = 0; k < blocks; k++) layers.push((y = residual(y, params, `encoder/${k}`, spec.dropout, context)));
      y = layerNorm(y, params, 'encoder/norm');
    }
    const z = dense(y, params, architecture === 'residual' ? 'encoder/latent' : `encoder/${hidden.length}`);
    if (!pca) return { z, layers };
    const numbers = tf.slice(row, [0, 0], [row.shape[0]!, reals]);
    return { z: tf.add(z, pcaEncode(numbers, params)), layers };
  };

  /** The decoder up to its last layer, and its hidden activations. */
  const decoder = (z: Tensor, params: Params, context: StepContext): { y: Tensor; layers: Tensor[] } => {
    const layers: Tensor[] = [];
    let y = z;
    if (architecture !== 'residual') {
      for (let k = 0; k < hidden.length; k++) layers.push((y = gelu(dense(y, params, `decoder/${k}`))));
      return { y, layers };
    }
    y = dense(y, params, 'decoder/in');
    for (let k = 0; k < blocks; k++) layers.push((y = residual(y, params, `decoder/${k}`, spec.dropout, context)));
    return { y: layerNorm(y, params, 'decoder/norm'), layers };
  };

  /** The last layer, from the decoder's activations. */
  const head = (y: Tensor, z: Tensor, params: Params, context: StepContext, input?: PreparedInput): Tensor => {
    const answer = freely(y, z, params, input);
    return spec.bounded && reals > 0 ? withinBounds(answer, params, context) : answer;
  };
  const freely = (y: Tensor, z: Tensor, params: Params, input?: PreparedInput): Tensor => {
    const corrected = (answer: Tensor): Tensor => (pca ? onto(pcaDecode(z, params), answer) : answer);
    if (architecture !== 'residual') return onto(input?.base, corrected(dense(y, params, `decoder/${hidden.length}`)));
    if (spec.skip === 'none' || input) return onto(input?.base, corrected(dense(y, params, 'decoder/out')));
    return corrected(dense(y, params, 'decoder/alone'));
  };

  return {
    spec,
    init(seed) {
      const build = new ParamBuilder(seed);
      layout.categories.forEach(({ codes }, k) => build.embedding(`embed/${k}`, codes, embeddingWidth(codes)));
      if (architecture === 'residual') {
        build.dense('encoder/in', inputWidth, width);
        for (let k = 0; k < blocks; k++) build.residual(`encoder/${k}`, width);
        build.norm('encoder/norm', width);
        build.dense('encoder/latent', width, latentDim, pca ? 0 : 1);
        build.dense('decoder/in', latentDim, width);
        for (let k = 0; k < blocks; k++) build.residual(`decoder/${k}`, width);
        build.norm('decoder/norm', width);
        build.dense('decoder/out', width, output, spec.skip === 'none' && !pca ? 0.5 : 0);
        if (spec.skip !== 'none') build.dense('decoder/alone', width, output, 0.5);
      } else {
        const up = [inputWidth, ...hidden, latentDim];
        for (let k = 0; k + 1 < up.length; k++)
          build.dense(`encoder/${k}`, up[k]!, up[k + 1]!, pca && k + 2 === up.length ? 0 : 1);
        const down = [latentDim, ...hidden.toReversed(), output];
        for (let k = 0; k + 1 < down.length; k++)
          build.dense(`decoder/${k}`, down[k]!, down[k + 1]!, pca && k + 2 === down.length ? 0 : 1);
      }
      if (spec.skip === 'linear') build.zeros('linear/kernel', [inputWidth, output]);
      return build.params;
    },
    prior(encoded, columns) {
      const bounds = pieces > 0 ? columnBounds(encoded, layout.numbers, values, pieces, knotFacts) : [];
      return {
        ...(spec.skip === 'gaussian' ? gaussianPrior(encoded, values) : {}),
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
    activationWidth:
      latentDim + 2 * (architecture === 'residual' ? blocks * width : hidden.reduce((sum, units) => sum + units, 0)),
    activations(input, params, context) {
      const { z, layers } = encoder(input, params, context);
      return tf.concat([...layers, z, ...decoder(z, params, context).layers], 1);
    },
    decode: (z, params, context, input) => head(decoder(z, params, context).y, z, params, context, input),
    decodeBoth(z, params, context, input) {
      const { y } = decoder(z, params, context);
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

/** Hidden widths of a plain MLP, falling geometrically from `width` towards the latent. */
function hiddenWidths({ architecture, blocks, width, latentDim }: NetworkSpec, inputWidth: number): number[] {
  if (architecture !== 'mlp') return [];
  const last = Math.max(latentDim, Math.min(width, inputWidth) / 4);
  return Array.from({ length: blocks }, (_, k) =>
    Math.max(1, Math.round(width * (last / width) ** (blocks > 1 ? k / blocks : 0))),
  );
}

/** Pre-activation residual block: x + W₂·gelu(W₁·norm(x)). */
export function residual(x: Tensor, params: Params, name: string, rate: number, context: StepContext): Tensor {
  let h = gelu(dense(layerNorm(x, params, `${name}/norm`), params, `${name}/up`));
  if (rate > 0 && context.training) h = dropout(h, context.random.bernoulli(h.shape, 1 - rate), rate);
  return tf.add(x, dense(h, params, `${name}/down`));
}

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
