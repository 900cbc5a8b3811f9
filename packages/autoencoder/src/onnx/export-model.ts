import { exportOnnx, type OnnxModelBuilder } from '@hourglass/engine';
import type { Tensor } from '@tensorflow/tfjs';
import { columnCount, valueWidth } from '../columns/encoder.ts';
import type { Model } from '../model/model.ts';
import { observedInput } from '../model/predictor.ts';
import { rowError } from '../model/row-error.ts';
import { buildNetwork } from '../network/build.ts';
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
 * @param options.exact keep fractions of whole numbers and values out of the observed range @default false
 * @throws MODEL_INCOMPATIBLE for columns whose codes a file cannot compute
 */
export async function exportModel(
  model: Model,
  options: { outputs: readonly ModelOutput[]; exact?: boolean },
): Promise<ExportedModel> {
  const { exact = false } = options;
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
    forward(graph, model, member, encoded, { latent: wants('latent') && member === 0, answers, error }),
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
  });
  return { bytes, inputs, outputs };
}

/** One member's forward pass. */
function forward(
  graph: OnnxModelBuilder,
  model: Model,
  member: number,
  encoded: EncodedNodes,
  wanted: { latent: boolean; answers: boolean; error: boolean },
): { latent?: string; error?: string; answer: AnswerNodes } {
  const network = buildNetwork(model.description.network);
  const { layout } = network.spec;
  const columns = columnCount(layout);
  const p = valueWidth(layout);
  const cycles = layout.cycles.reduce((sum, { width }) => sum + width, 0);
  const floats = (from: string, width: number) => ({ from, dtype: 'float32' as const, rowShape: [width] });
  const outputs = graph.pass(
    {
      params: { ...model.shared, ...model.members[member]! },
      forward(batch, params, context) {
        const prepared = network.prepare(observedInput(batch), params);
        const z = network.encode(prepared, params, context);
        const latent: Record<string, Tensor> = wanted.latent ? { z } : {};
        return {
          ...latent,
          ...(wanted.answers ? readOutput(network.decode(z, params, context, prepared), layout) : {}),
          ...(wanted.error ? { error: rowError(batch, network.decode(z, params, context), layout) } : {}),
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
    answer: { values: outputs.values, classes: layout.categories.map((_, k) => outputs[`class/${k}`]!) },
  };
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
