import { sizeOf } from '../flat-params.ts';
import type { Graph, Node } from './graph.ts';

/** Multiply-adds of the matrix products and convolutions of a graph; what else it does is small beside them. */
export const multiplyAdds = (graph: Graph): number => graph.nodes.reduce((sum, node) => sum + ofNode(node), 0);

function ofNode(node: Node): number {
  const [a, b] = node.inputs;
  switch (node.op) {
    case 'MatMul':
    case 'Dense':
      return sizeOf(node.output.shape) * (node.attrs.transposeA ? a!.shape.at(-2)! : a!.shape.at(-1)!);
    case 'Conv2D':
    case 'DepthwiseConv2D':
      return taps(b!.shape) * sizeOf(node.output.shape) * (node.op === 'Conv2D' ? b!.shape[2]! : 1);
    case 'Conv2DInputGrad':
    case 'DepthwiseInputGrad':
      return taps(b!.shape) * sizeOf(a!.shape) * (node.op === 'Conv2DInputGrad' ? b!.shape[2]! : 1);
    case 'Conv2DFilterGrad':
    case 'DepthwiseFilterGrad':
      return taps(node.output.shape) * sizeOf(b!.shape) * (node.op === 'Conv2DFilterGrad' ? a!.shape[3]! : 1);
    default:
      return 0;
  }
}

const taps = ([fh, fw]: readonly number[]): number => fh! * fw!;
