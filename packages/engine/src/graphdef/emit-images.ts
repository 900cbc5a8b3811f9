import type { NodeOf, OpName, Value, WindowAttrs } from '../ir/graph.ts';
import type { Emit } from './emit-elementwise.ts';
import { emitConstant } from './emit-structure.ts';
import type { Attribute, GraphWriter } from './writer.ts';

type ImageOp = Extract<OpName, `Conv2D${string}` | `Depthwise${string}` | `${string}Pool${string}` | `Resize${string}`>;
type PoolAttrs = WindowAttrs & { size: [number, number] };

/** Padding of TensorFlow's SAME along one axis, which is also how its kernels are fastest. */
function samePads(size: number, window: number, stride: number, dilation: number): [number, number] {
  const out = Math.ceil(size / stride);
  const total = Math.max(0, (out - 1) * stride + dilation * (window - 1) + 1 - size);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

/** The padding attributes of a window over an image `[n, h, w, c]`. */
function padding(a: WindowAttrs, image: readonly number[], window: readonly number[]): Record<string, Attribute> {
  if (a.pads.every((pad) => pad === 0)) return { padding: { text: 'VALID' } };
  const same = ([0, 1] as const).flatMap((axis) =>
    samePads(image[axis + 1]!, window[axis]!, a.strides[axis], a.dilations[axis]),
  );
  if (same.every((pad, i) => pad === a.pads[i])) return { padding: { text: 'SAME' } };
  return { padding: { text: 'EXPLICIT' }, explicit_paddings: [0, 0, ...a.pads, 0, 0] };
}

const convolution = (a: WindowAttrs, image: readonly number[], filter: readonly number[]) => ({
  T: 'float32' as const,
  strides: [1, ...a.strides, 1],
  dilations: [1, ...a.dilations, 1],
  ...padding(a, image, filter),
});

const pooling = (a: PoolAttrs) => ({ T: 'float32' as const, ksize: [1, ...a.size, 1], strides: [1, ...a.strides, 1] });

/** A filter with zeros between its cells: depthwise kernels know no dilation. */
function dilatedFilter(w: GraphWriter, name: string, shape: readonly number[], [dh, dw]: [number, number]): string {
  const [fh, fw, c, m] = shape as [number, number, number, number];
  const apart = w.node('Reshape', [name, w.ints([fh, 1, fw, 1, c * m])], { T: 'float32', Tshape: 'int32' });
  const paddings = w.tensor(Int32Array.of(0, 0, 0, dh - 1, 0, 0, 0, dw - 1, 0, 0), [5, 2]);
  const padded = w.node('Pad', [apart, paddings], { T: 'float32', Tpaddings: 'int32' });
  const wide = w.node('Reshape', [padded, w.ints([fh * dh, fw * dw, c, m])], { T: 'float32', Tshape: 'int32' });
  const size = w.ints([(fh - 1) * dh + 1, (fw - 1) * dw + 1, c, m]);
  return w.node('Slice', [wide, w.ints([0, 0, 0, 0]), size], { T: 'float32', Index: 'int32' });
}

/** How many real cells each window of a mean covers, as share of the window: `[1, oh, ow, 1]`. */
function coverage(w: GraphWriter, a: PoolAttrs, image: readonly number[], out: readonly number[]): string {
  const along = (axis: 0 | 1, before: number) =>
    Array.from({ length: out[axis + 1]! }, (_, i) => {
      const start = i * a.strides[axis] - before;
      return (Math.min(image[axis + 1]!, start + a.size[axis]) - Math.max(0, start)) / a.size[axis];
    });
  const [rows, columns] = [along(0, a.pads[0]), along(1, a.pads[2])];
  return w.tensor(Float32Array.from(rows.flatMap((r) => columns.map((c) => r * c))), [
    1,
    rows.length,
    columns.length,
    1,
  ]);
}

/** The image with its padding made real, for kernels that know SAME and VALID only. */
function padImage(w: GraphWriter, x: string, [top, bottom, left, right]: WindowAttrs['pads']): string {
  const paddings = w.tensor(Int32Array.of(0, 0, top, bottom, left, right, 0, 0), [4, 2]);
  return w.node('Pad', [x, paddings], { T: 'float32', Tpaddings: 'int32' });
}

const padded = ([n, h, width, c]: readonly number[], [top, bottom, left, right]: WindowAttrs['pads']): number[] => [
  n!,
  h! + top + bottom,
  width! + left + right,
  c!,
];

/** The image without its padding. */
const cutPadding = (w: GraphWriter, x: string, { pads }: WindowAttrs, image: readonly number[]): string =>
  w.node('Slice', [x, w.ints([0, pads[0], pads[2], 0]), w.target(image)], { T: 'float32', Index: 'int32' });

/** The fast kernels of gradients know no padding of our own: it is made real for them. */
const VALID: Record<string, Attribute> = { padding: { text: 'VALID' }, explicit_paddings: [] };

const isExplicit = (attributes: Record<string, Attribute>): boolean => 'explicit_paddings' in attributes;

const resizeAttributes = (attrs: { alignCorners: boolean; halfPixelCenters: boolean }) => ({
  T: 'float32' as const,
  align_corners: attrs.alignCorners,
  half_pixel_centers: attrs.halfPixelCenters,
});

const sizeOfImage = (w: GraphWriter, value: Value): string => w.ints([value.shape[1]!, value.shape[2]!]);

const resize =
  <O extends 'ResizeNearest' | 'ResizeBilinear'>(op: string): Emit<O> =>
  (w, [x], node: NodeOf<O>) =>
    w.node(op, [x!, sizeOfImage(w, node.output)], resizeAttributes(node.attrs as never));

export const IMAGE_EMITTERS: { [O in ImageOp]: Emit<O> } = {
  Conv2D: (w, x, { attrs, inputs: [image, filter] }) =>
    w.node('Conv2D', x, convolution(attrs, image!.shape, filter!.shape)),
  Conv2DInputGrad(w, [dy, filter], { attrs, inputs, output }) {
    const [, taps] = inputs;
    const node = (shape: readonly number[], attributes: Record<string, Attribute>) =>
      w.node('Conv2DBackpropInput', [w.shape(shape), filter!, dy!], attributes);
    const attributes = convolution(attrs, output.shape, taps!.shape);
    if (!isExplicit(attributes)) return node(output.shape, attributes);
    return cutPadding(w, node(padded(output.shape, attrs.pads), { ...attributes, ...VALID }), attrs, output.shape);
  },
  Conv2DFilterGrad(w, [x, dy], { attrs, inputs, output }) {
    const attributes = convolution(attrs, inputs[0]!.shape, output.shape);
    const node = (image: string, padding: Record<string, Attribute>) =>
      w.node('Conv2DBackpropFilter', [image, w.ints(output.shape), dy!], { ...attributes, ...padding });
    return isExplicit(attributes) ? node(padImage(w, x!, attrs.pads), VALID) : node(x!, {});
  },
  DepthwiseConv2D(w, [x, filter], { attrs, inputs: [image, weights] }) {
    const wide = attrs.dilations.some((d) => d > 1);
    const taps = wide ? dilatedFilter(w, filter!, weights!.shape, attrs.dilations) : filter!;
    const attributes = convolution(attrs, image!.shape, weights!.shape);
    return w.node('DepthwiseConv2dNative', [x!, taps], { ...attributes, dilations: [1, 1, 1, 1] });
  },
  DepthwiseInputGrad: (w, [dy, filter], { attrs, inputs, output }) =>
    w.node(
      'DepthwiseConv2dNativeBackpropInput',
      [w.shape(output.shape), filter!, dy!],
      convolution(attrs, output.shape, inputs[1]!.shape),
    ),
  DepthwiseFilterGrad: (w, [x, dy], { attrs, inputs, output }) =>
    w.node(
      'DepthwiseConv2dNativeBackpropFilter',
      [x!, w.ints(output.shape), dy!],
      convolution(attrs, inputs[0]!.shape, output.shape),
    ),
  MaxPool: (w, x, { attrs, inputs }) =>
    w.node('MaxPool', x, { ...pooling(attrs), ...padding(attrs, inputs[0]!.shape, attrs.size) }),
  MaxPoolGrad: (w, [dy, x, y], { attrs, inputs }) =>
    w.node('MaxPoolGrad', [x!, y!, dy!], { ...pooling(attrs), ...padding(attrs, inputs[1]!.shape, attrs.size) }),
  AvgPool(w, [x], { attrs, inputs, output }) {
    const image = inputs[0]!.shape;
    const pads = padding(attrs, image, attrs.size);
    if (!isExplicit(pads)) return w.node('AvgPool', [x!], { ...pooling(attrs), ...pads });
    const mean = w.node('AvgPool', [padImage(w, x!, attrs.pads)], { ...pooling(attrs), padding: { text: 'VALID' } });
    return w.node('RealDiv', [mean, coverage(w, attrs, image, output.shape)], { T: 'float32' });
  },
  AvgPoolGrad(w, [dy], { attrs, inputs, output }) {
    const pads = padding(attrs, output.shape, attrs.size);
    if (!isExplicit(pads)) return w.node('AvgPoolGrad', [w.shape(output.shape), dy!], { ...pooling(attrs), ...pads });
    const share = w.node('RealDiv', [dy!, coverage(w, attrs, output.shape, inputs[0]!.shape)], { T: 'float32' });
    const whole = w.node('AvgPoolGrad', [w.shape(padded(output.shape, attrs.pads)), share], {
      ...pooling(attrs),
      padding: { text: 'VALID' },
    });
    return cutPadding(w, whole, attrs, output.shape);
  },
  ResizeNearest: resize('ResizeNearestNeighbor'),
  ResizeNearestGrad: (w, [dy], { attrs, output }) =>
    w.node('ResizeNearestNeighborGrad', [dy!, sizeOfImage(w, output)], resizeAttributes(attrs)),
  ResizeBilinear: resize('ResizeBilinear'),
  // Of the image only its shape is looked at.
  ResizeBilinearGrad: (w, [dy], { attrs, output }) =>
    w.node('ResizeBilinearGrad', [dy!, emitConstant(w, 0, output.shape, 'float32')], resizeAttributes(attrs)),
};
