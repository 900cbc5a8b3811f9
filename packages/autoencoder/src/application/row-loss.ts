import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { columnCount } from '../columns/encoder.ts';
import { toBatch, type TableBatch } from '../model/data.ts';
import { nearOf } from '../neighbours/near-rows.ts';
import { contrastLoss } from '../network/contrast.ts';
import type { Network } from '../network/network.ts';
import { knotsOf } from '../network/knots.ts';
import { cellLoss } from '../network/table-loss.ts';
import { observedInput } from '../model/predictor.ts';
import type { LearnerOptions } from '../options.ts';
import type { TrainingTask } from '../training/task.ts';
import type { Application, Example } from './application.ts';

/** Share of the loss that asks the latent alone for the whole row, where a skip or a question for some cells would let it stay empty. */
const LATENT_SHARE = 0.1;

/** An application's loss of each row. */
export function rowLossOf<O extends LearnerOptions>(
  application: Application<O>,
  network: Network,
  options: O,
): TrainingTask['rowLoss'] {
  const { layout, skip } = network.spec;
  const contrast = application.contrast?.(options) ?? 0;
  const askWhole = skip !== 'none' || application.validation === 'cells';
  return (batch, params, context) => {
    const table = toBatch(batch);
    const view = (of: TableBatch): Example => application.example(of, context, options, layout, params);
    const example = batch.held ? heldExample(batch, batch.held) : view(table);
    const prepared = network.prepare(example.input, params);
    const encoded = network.encode(prepared, params, context);
    const z = application.latent?.(encoded, params, context, options) ?? encoded;
    const lossOptions = { ...application.loss?.(options), knots: knotsOf(params) };
    const { answer: output, alone: latentOnly } = askWhole
      ? network.decodeBoth(z, params, context, prepared)
      : { answer: network.decode(z, params, context, prepared), alone: undefined };
    const asked = tf.sum(tf.step(example.weight), 1);
    const cells = cellLoss(output, example.target, layout, lossOptions);
    let loss = tf.sum(tf.mul(cells, example.weight), 1);
    if (contrast > 0) {
      const near = nearOf(batch);
      const { input } = view(near ? toBatch(near) : table);
      const other = network.encode(network.prepare(input, params), params, context);
      loss = tf.add(loss, tf.mul(contrastLoss(encoded, other, columnCount(layout)), tf.mul(asked, contrast)));
    }
    if (!latentOnly) return { loss, weight: asked };
    // Without a skip both answers are one, and so are their losses: computed once, differentiated once.
    const whole = latentOnly === output ? cells : cellLoss(latentOnly, example.target, layout, lossOptions);
    // Brought to the same number of cells, so that its share does not depend on how many are asked for.
    const observed = tf.add(tf.sum(tf.step(table.w), 1), 1e-6);
    const latent = tf.mul(tf.div(tf.sum(tf.mul(whole, table.w), 1), observed), tf.mul(asked, LATENT_SHARE));
    return { loss: tf.add(loss, latent), weight: asked };
  };
}

/** Validation by cells put aside: everything else is shown, they alone are asked for. */
function heldExample(batch: Record<string, Tensor>, held: Tensor): Example {
  return { input: observedInput(batch), target: { x: batch.x, codes: batch.codes }, weight: held };
}
