import { HourglassError } from '@hourglass/core';
import { exportOnnx, type OnnxModelBuilder } from '@hourglass/engine';
import type { ImageAnswer } from '../images/image-answer.ts';
import type { ImageModel } from '../images/image-model.ts';
import type { ExportedModel } from './export-model.ts';
import { fromChannels, toChannels, unetNodes } from './unet-nodes.ts';

const PICTURE = ['height', 'width'] as const;

/**
 * A model over pictures as one ONNX file (operator set 18), for pictures of any height and width: `[rows, height, width,
 * channels]` in and out, as floats in the units the application says (brightness 0…1; L* 0…100 and a*, b*).
 * @throws MODEL_INCOMPATIBLE for a model trained before answers were recorded
 */
export async function exportImageModel({ description, params }: ImageModel): Promise<ExportedModel> {
  const { answer, network, application, version } = description;
  if (!answer)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `a model of ${application} trained before files of models over pictures could be written; train it again with this version`,
    );
  const graph = await exportOnnx(application);
  const inputs: ExportedModel['inputs'] = [];
  const give = (name: string, width: number, rowShape: (number | string)[] = [...PICTURE, width]): string => {
    inputs.push({ name, type: 'float32', width, missing: null });
    return graph.input(name, 'float32', rowShape);
  };
  const net = (x: string): string => unetNodes(graph, network, params, x);
  const { from, width } =
    answer.kind === 'residual' ? residual(graph, answer, give, net) : colours(graph, answer, give, net);
  const name = graph.output(answer.output, from, 'float32', [...PICTURE, width]);
  return {
    bytes: graph.encode({ application, version: `${version}` }),
    inputs,
    outputs: [{ name, type: 'float32', width }],
  };
}

type Give = (name: string, width: number, rowShape?: (number | string)[]) => string;
interface Read {
  from: string;
  width: number;
}

function residual(
  graph: OnnxModelBuilder,
  { input, channels, level }: Extract<ImageAnswer, { kind: 'residual' }>,
  give: Give,
  net: (x: string) => string,
): Read {
  const x = toChannels(graph, give(input, channels));
  let seen = graph.node('Sub', [x, graph.scalar(0.5)]);
  if (level) {
    const strength = graph.node('Reshape', [give('level', 1, [1]), graph.ints([-1, 1, 1, 1])]);
    const size = graph.node('Shape', [x], { start: 2, end: 4 });
    const plane = graph.node('Expand', [strength, graph.node('Concat', [graph.ints([1, 1]), size], { axis: 0 })]);
    seen = graph.node('Concat', [seen, plane], { axis: 1 });
  }
  const clean = graph.node('Clip', [graph.node('Sub', [x, net(seen)]), graph.scalar(0), graph.scalar(1)]);
  return { from: fromChannels(graph, clean), width: channels };
}

function colours(
  graph: OnnxModelBuilder,
  answer: Exclude<ImageAnswer, { kind: 'residual' }>,
  give: Give,
  net: (x: string) => string,
): Read {
  const { input, center, scale, hints } = answer;
  const middle = graph.scalar(center);
  let x = graph.node('Div', [graph.node('Sub', [give(input, 1), middle]), middle]);
  if (hints) {
    // Known values in their own units, then 1 where they are known.
    const units = graph.tensor(Float32Array.of(scale, scale, 1), [3]);
    x = graph.node('Concat', [x, graph.node('Div', [give('hints', 3), units])], { axis: 3 });
  }
  const y = fromChannels(graph, net(toChannels(graph, x)));
  if (answer.kind === 'scaled') return { from: graph.node('Mul', [y, graph.scalar(scale)]), width: 2 };
  const { centers, channels, temperature } = answer;
  const likely = graph.node('Softmax', [graph.node('Div', [y, graph.scalar(temperature)])], { axis: -1 });
  const table = graph.tensor(Float32Array.from(centers), [centers.length / channels, channels]);
  return { from: graph.node('MatMul', [likely, table]), width: channels };
}
