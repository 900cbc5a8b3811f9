import type { OnnxModelBuilder, ParamArrays } from '@hourglass/engine';
import type { UnetSpec } from '../images/unet.ts';

/** `[n, h, w, c]` → `[n, c, h, w]`, ONNX's layout, and back. */
export const toChannels = (graph: OnnxModelBuilder, x: string): string =>
  graph.node('Transpose', [x], { perm: [0, 3, 1, 2] });
export const fromChannels = (graph: OnnxModelBuilder, x: string): string =>
  graph.node('Transpose', [x], { perm: [0, 2, 3, 1] });

/**
 * The U-Net for pictures of any height and width, `[n, c, h, w]` in and out. Traced passes know one size; the net has so few
 * kinds of nodes that it is written out instead. The edge is repeated until both sides can be halved, and cut off again.
 */
export function unetNodes(graph: OnnxModelBuilder, spec: UnetSpec, params: ParamArrays, x: string): string {
  const { levels, blocks } = spec;
  const bottom = levels - 1;
  const weights = (name: string): [string, string] => {
    const [kernel, bias] = [params[`${name}/kernel`]!, params[`${name}/bias`]!];
    const turned = graph.node('Transpose', [graph.tensor(kernel.values, kernel.shape)], { perm: [3, 2, 0, 1] });
    return [turned, graph.tensor(bias.values, bias.shape)];
  };
  const conv = (h: string, name: string): string =>
    graph.node('Conv', [h, ...weights(name)], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  const half = { kernel_shape: [2, 2], strides: [2, 2] };
  const run = (h: string, name: string, count: number): string => {
    let y = h;
    for (let block = 0; block < count; block++) {
      const inner = graph.node('Relu', [conv(y, `${name}/${block}/first`)]);
      y = graph.node('Add', [y, conv(inner, `${name}/${block}/second`)]);
    }
    return y;
  };
  const size = graph.node('Shape', [x], { start: 2, end: 4 });
  const missing = graph.node('Mod', [graph.node('Neg', [size]), graph.ints([2 ** bottom, 2 ** bottom])]);
  const pads = graph.node('Concat', [graph.ints([0, 0]), missing], { axis: 0 });
  let h = conv(graph.node('Pad', [x, pads, '', graph.ints([2, 3])], { mode: 'edge' }), 'in');
  const skips: string[] = [];
  for (let level = 0; level < bottom; level++) {
    h = run(h, `down${level}`, blocks);
    skips.push(h);
    h = graph.node('Conv', [h, ...weights(`shrink${level}`)], half);
  }
  h = run(h, `down${bottom}`, 2 * blocks);
  for (let level = bottom - 1; level >= 0; level--) {
    h = graph.node('Add', [graph.node('ConvTranspose', [h, ...weights(`grow${level}`)], half), skips[level]!]);
    h = run(h, `up${level}`, blocks);
  }
  return graph.node('Slice', [conv(h, 'out'), graph.ints([0, 0]), size, graph.ints([2, 3])]);
}
