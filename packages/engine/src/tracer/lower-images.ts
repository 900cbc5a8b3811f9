import * as tf from '@tensorflow/tfjs';

import type { ResizeAttrs, Value, WindowAttrs } from '../ir/graph.ts';
import { activate, elementwise } from './lower-elementwise.ts';
import { Untraceable, type KernelCall, type Lowering } from './lowering.ts';

type Shape4 = [number, number, number, number];
const shape4 = (x: Value | readonly number[]): Shape4 => [...('shape' in x ? x.shape : x)] as Shape4;

interface WindowInfo {
  inHeight: number;
  inWidth: number;
  effectiveFilterHeight: number;
  effectiveFilterWidth: number;
  outHeight: number;
  outWidth: number;
  outShape: number[];
  strideHeight: number;
  strideWidth: number;
  dilationHeight: number;
  dilationWidth: number;
  padInfo: { top: number; bottom: number; left: number; right: number };
}

function windowAttrs(info: WindowInfo): WindowAttrs {
  const { top, bottom, left, right } = info.padInfo;
  const fitting = (size: number, window: number, stride: number) => Math.floor((size - window) / stride) + 1;
  const rows = fitting(info.inHeight + top + bottom, info.effectiveFilterHeight, info.strideHeight);
  const columns = fitting(info.inWidth + left + right, info.effectiveFilterWidth, info.strideWidth);
  // tfjs counts columns by the height of the window when padding is a number.
  if (rows !== info.outHeight || columns !== info.outWidth)
    throw new Untraceable(
      `a window of ${info.effectiveFilterHeight}×${info.effectiveFilterWidth} fits ${rows}×${columns} times, and tfjs ` +
        `answers ${info.outHeight}×${info.outWidth}: use padding 'same' or 'valid', or tf.pad before it`,
    );
  return {
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: [top, bottom, left, right],
  };
}

function convInfo(attrs: Record<string, unknown>, x: Shape4, filter: Shape4, depthwise: boolean): WindowInfo {
  if ((attrs.dataFormat ?? 'NHWC') !== 'NHWC')
    throw new Untraceable('convolutions in NCHW cannot be compiled: use NHWC');
  return tf.backend_util.computeConv2DInfo(
    x,
    filter,
    attrs.strides as number,
    (attrs.dilations ?? 1) as number,
    attrs.pad as 'same',
    attrs.dimRoundingMode as 'floor' | undefined,
    depthwise,
  );
}

function convolution(op: 'Conv2D' | 'DepthwiseConv2D', { build, inputs, attrs }: KernelCall): Value {
  const { x, filter } = inputs;
  const info = convInfo(attrs, shape4(x!), shape4(filter!), op === 'DepthwiseConv2D');
  return build.add(op, [x!, filter!], windowAttrs(info), info.outShape);
}

const fused =
  (op: 'Conv2D' | 'DepthwiseConv2D'): Lowering =>
  (call) => {
    const { build, inputs, attrs } = call;
    const product = convolution(op, call);
    const sum = inputs.bias ? elementwise(build, 'Add', [product, inputs.bias], {}) : product;
    return activate(build, sum, attrs, inputs.preluActivationWeights);
  };

const inputGrad =
  (op: 'Conv2DInputGrad' | 'DepthwiseInputGrad'): Lowering =>
  ({ build, inputs, attrs }) => {
    const shape = shape4(attrs.inputShape as number[]);
    const info = convInfo(attrs, shape, shape4(inputs.filter!), op === 'DepthwiseInputGrad');
    return build.add(op, [inputs.dy!, inputs.filter!], windowAttrs(info), shape);
  };

const filterGrad =
  (op: 'Conv2DFilterGrad' | 'DepthwiseFilterGrad'): Lowering =>
  ({ build, inputs, attrs }) => {
    const shape = shape4(attrs.filterShape as number[]);
    const info = convInfo(attrs, shape4(inputs.x!), shape, op === 'DepthwiseFilterGrad');
    return build.add(op, [inputs.x!, inputs.dy!], windowAttrs(info), shape);
  };

function poolAttrs(x: Value, attrs: Record<string, unknown>) {
  const size = [attrs.filterSize as number | [number, number]].flat() as [number, number?];
  const info = tf.backend_util.computePool2DInfo(
    shape4(x),
    attrs.filterSize as number,
    attrs.strides as number,
    1,
    attrs.pad as 'same',
    attrs.dimRoundingMode as 'floor' | undefined,
  );
  const window: WindowAttrs & { size: [number, number] } = {
    ...windowAttrs(info),
    size: [size[0], size[1] ?? size[0]],
  };
  return { window, outShape: info.outShape };
}

const resize =
  (op: 'ResizeNearest' | 'ResizeBilinear'): Lowering =>
  ({ build, inputs, attrs }) => {
    const [n, , , c] = shape4(inputs.images!);
    const [height, width] = attrs.size as [number, number];
    return build.add(op, [inputs.images!], resizeAttrs(attrs), [n, height, width, c]);
  };

const resizeGrad =
  (op: 'ResizeNearestGrad' | 'ResizeBilinearGrad'): Lowering =>
  ({ build, inputs, attrs }) =>
    build.add(op, [inputs.dy!], resizeAttrs(attrs), inputs.images!.shape);

const resizeAttrs = (attrs: Record<string, unknown>): ResizeAttrs => ({
  alignCorners: Boolean(attrs.alignCorners),
  halfPixelCenters: Boolean(attrs.halfPixelCenters),
});

export const IMAGE_LOWERINGS: Record<string, Lowering> = {
  Conv2D: (call) => convolution('Conv2D', call),
  FusedConv2D: fused('Conv2D'),
  Conv2DBackpropInput: inputGrad('Conv2DInputGrad'),
  Conv2DBackpropFilter: filterGrad('Conv2DFilterGrad'),
  DepthwiseConv2dNative: (call) => convolution('DepthwiseConv2D', call),
  FusedDepthwiseConv2D: fused('DepthwiseConv2D'),
  DepthwiseConv2dNativeBackpropInput: inputGrad('DepthwiseInputGrad'),
  DepthwiseConv2dNativeBackpropFilter: filterGrad('DepthwiseFilterGrad'),
  MaxPool: ({ build, inputs, attrs }) => {
    const { window, outShape } = poolAttrs(inputs.x!, attrs);
    return build.add('MaxPool', [inputs.x!], window, outShape);
  },
  MaxPoolGrad: ({ build, inputs, attrs }) => {
    const { dy, input, output } = inputs;
    return build.add('MaxPoolGrad', [dy!, input!, output!], poolAttrs(input!, attrs).window, input!.shape);
  },
  AvgPool: ({ build, inputs, attrs }) => {
    const { window, outShape } = poolAttrs(inputs.x!, attrs);
    return build.add('AvgPool', [inputs.x!], window, outShape);
  },
  AvgPoolGrad: ({ build, inputs, attrs }) =>
    build.add('AvgPoolGrad', [inputs.dy!], poolAttrs(inputs.input!, attrs).window, inputs.input!.shape),
  ResizeNearestNeighbor: resize('ResizeNearest'),
  ResizeNearestNeighborGrad: resizeGrad('ResizeNearestGrad'),
  ResizeBilinear: resize('ResizeBilinear'),
  ResizeBilinearGrad: resizeGrad('ResizeBilinearGrad'),
};
