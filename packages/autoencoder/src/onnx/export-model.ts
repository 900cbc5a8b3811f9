import { exportOnnx, type OnnxModelBuilder, type ParamArrays, type StepContext } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { columnCount, valueWidth } from '../columns/encoder.ts';
import { foldedHead, type Head } from '../model/head.ts';
import type { Model } from '../model/model.ts';
import { observedInput } from '../model/predictor.ts';
import { rowError } from '../model/row-error.ts';
import { buildNetwork } from '../network/build.ts';
import type { Params } from '../network/layers.ts';
import type { Network, PreparedInput } from '../network/network.ts';
import { knotsOf } from '../network/knots.ts';
import { readOutput } from '../network/table-loss.ts';
import type { ModelOutput } from '../options.ts';
import { decodeNodes, type AnswerNodes } from './decode-nodes.ts';
import { encodeNodes, type EncodedNodes } from './encode-nodes.ts';
import { cast, rawColumns, type RawColumn } from './raw-column.ts';

export interface ExportedModel {
  bytes: Uint8Array;
  /** `type`: the element type; `missing`: what stands for a missing cell, null where the type can say none. */
  inputs: { name: string; type: string; width: number; missing: string | null }[];
  /** `[rows, width]` each. */
  outputs: { name: string; type: string; width: number }[];
}

/**
 * A model as one ONNX file (operator set 18) with its column encoders inside: raw columns in, `[rows, 1]` each, vectors
 * `[rows, length]`.
 * @param options.head what `prediction` is answered by
 * @param options.exact keep fractions of whole numbers and values out of the observed range @default false
 * @throws MODEL_INCOMPATIBLE for columns whose codes a file cannot compute
 */
export async function exportModel(
  model: Model,
  options: { outputs: readonly ModelOutput[]; exact?: boolean; head?: Head },
): Promise<ExportedModel> {
  const { exact = false, head } = options;
  const wants = (output: ModelOutput): boolean => options.outputs.includes(output);
  const columns = rawColumns(model.encoder);
  const graph = await exportOnnx(model.description.application);
  for (const { name, dtype, width } of columns) graph.input(name, dtype, [width]);
  const encoded = encodeNodes(graph, columns);
  const outputs: ExportedModel['outputs'] = [];
  const give = (name: string, from: string, dtype: RawColumn['dtype'], width = 1): void =>
    void outputs.push({ name: graph.output(name, from, dtype, [width]), type: dtype, width });

  const answers = wants('reconstructed') || wants('filled');
  const error = wants('error');
  const members = answers || error ? model.members : model.members.slice(0, 1);
  const passes = members.map((_, member) =>
    forward(graph, model, member, encoded, {
      latent: wants('latent') && member === 0,
      answers,
      error,
      ...(wants('prediction') && member === 0 ? { head } : {}),
    }),
  );
  if (wants('latent')) give('latent', passes[0]!.latent!, 'float32', model.description.network.latentDim);
  if (answers) {
    const decoded = decodeNodes(graph, columns, meanOf(graph, passes), exact);
    if (wants('reconstructed'))
      decoded.forEach(({ name, dtype, from }, j) => give(`${name}.reconstructed`, from, dtype, columns[j]!.width));
    if (wants('filled'))
      decoded.forEach(({ name, dtype, from }, j) => {
        const column = columns[j]!;
        const kept = column.dtype === dtype ? name : cast(graph, name, dtype as 'float32' | 'float64');
        // A type that cannot say "missing" has nothing to fill.
        const filled = column.missing === undefined ? kept : graph.node('Where', [encoded.observed[j]!, kept, from]);
        give(`${name}.filled`, filled, dtype, column.width);
      });
  }
  if (error)
    give(
      'error',
      meanNode(
        graph,
        passes.map((pass) => pass.error!),
      ),
      'float32',
    );
  if (wants('prediction') && head) {
    const { target } = head;
    if (target.kind === 'number') give('prediction', passes[0]!.prediction!, 'float32');
    else give('probabilities', passes[0]!.prediction!, 'float32', target.classes.length);
  }
  const inputs = columns.map(({ name, dtype, width, missing }) => ({
    name,
    type: dtype,
    width,
    missing: missing ?? null,
  }));
  const { application, version } = model.description;
  const bytes = graph.encode({
    application,
    version: `${version}`,
    missing: JSON.stringify(Object.fromEntries(inputs.map(({ name, missing }) => [name, missing]))),
    ...(wants('prediction') && head ? { label: head.label, target: JSON.stringify(head.target) } : {}),
  });
  return { bytes, inputs, outputs };
}

/** One member's forward pass. */
function forward(
  graph: OnnxModelBuilder,
  model: Model,
  member: number,
  encoded: EncodedNodes,
  wanted: { latent: boolean; answers: boolean; error: boolean; head?: Head },
): { latent?: string; error?: string; prediction?: string; answer: AnswerNodes } {
  const network = buildNetwork(model.description.network);
  const { layout } = network.spec;
  const columns = columnCount(layout);
  const p = valueWidth(layout);
  const cycles = layout.cycles.reduce((sum, { width }) => sum + width, 0);
  const floats = (from: string, width: number) => ({ from, dtype: 'float32' as const, rowShape: [width] });
  const outputs = graph.pass(
    {
      params: { ...model.shared, ...model.members[member]!, ...headParams(wanted.head) },
      forward(batch, params, context) {
        const prepared = network.prepare(observedInput(batch), params);
        const z = network.encode(prepared, params, context);
        const latent: Record<string, Tensor> = wanted.latent ? { z } : {};
        return {
          ...latent,
          ...(wanted.answers ? readOutput(network.decode(z, params, context, prepared), layout, knotsOf(params)) : {}),
          ...(wanted.head ? { prediction: answerOf(wanted.head, network, prepared, z, params, context) } : {}),
          ...(wanted.error ? { error: rowError(batch, network.decode(z, params, context), layout, params) } : {}),
        };
      },
    },
    {
      w: floats(encoded.w, columns),
      ...(encoded.x ? { x: floats(encoded.x, p) } : {}),
      ...(encoded.codes
        ? { codes: { ...floats(encoded.codes, layout.categories.length), dtype: 'int32' as const } }
        : {}),
      ...(encoded.cycles ? { cycles: floats(encoded.cycles, cycles) } : {}),
    },
  );
  return {
    latent: outputs.z,
    error: outputs.error,
    prediction: outputs.prediction,
    answer: { values: outputs.values, classes: layout.categories.map((_, k) => outputs[`class/${k}`]!) },
  };
}

const headParams = (head: Head | undefined): ParamArrays => {
  if (!head) return {};
  const { weights, bias } = foldedHead(head);
  return {
    'head/weights': { shape: [weights.length / bias.length, bias.length], values: Float32Array.from(weights) },
    'head/bias': { shape: [bias.length], values: Float32Array.from(bias) },
  };
};

/** Probabilities `[b, classes]`, or a number `[b, 1]`. */
function answerOf(
  { kind, target }: Head,
  network: Network,
  prepared: PreparedInput,
  z: Tensor,
  params: Params,
  context: StepContext,
): Tensor {
  const features = kind === 'latent' ? z : network.activations(prepared, params, context);
  const answers = tf.add(tf.matMul(features as Tensor2D, params['head/weights'] as Tensor2D), params['head/bias']!);
  return target.kind === 'classes' ? tf.softmax(answers) : answers;
}

/** Mean of the members' answers. */
function meanOf(graph: OnnxModelBuilder, passes: readonly { answer: AnswerNodes }[]): AnswerNodes {
  const mean = (names: string[]): string => meanNode(graph, names);
  const [first] = passes;
  return {
    ...(first!.answer.values ? { values: mean(passes.map(({ answer }) => answer.values!)) } : {}),
    classes: first!.answer.classes.map((_, k) => mean(passes.map(({ answer }) => answer.classes[k]!))),
  };
}

const meanNode = (graph: OnnxModelBuilder, names: string[]): string =>
  names.length === 1 ? names[0]! : graph.node('Mean', names);
