import type { NodeOf, OpName, ResizeAttrs, Value, WindowAttrs } from '../ir/graph.ts';
import { turnedPads } from '../ir/turned-pads.ts';
import { convFilterGrad, convProduct } from './conv-products.ts';
import { cells, isUnit, upTo } from './conv-taps.ts';
import type { Emit } from './emit-elementwise.ts';
import { emitConstant } from './emit-structure.ts';
import { nearestIndices, resizeMatrix, transposed } from './resize-weights.ts';
import { INT64_MAX, type OnnxWriter } from './writer.ts';

type ImageOp = Extract<OpName, `Conv2D${string}` | `Depthwise${string}` | `${string}Pool${string}` | `Resize${string}`>;

/** `[n, h, w, c]` → `[n, c, h, w]`, ONNX's layout, and back. */
const toChannels = (w: OnnxWriter, x: string) => w.node('Transpose', [x], { perm: [0, 3, 1, 2] });
const fromChannels = (w: OnnxWriter, x: string) => w.node('Transpose', [x], { perm: [0, 2, 3, 1] });
/** `[n, h, w, c]` → `[c, n, h, w]`: batch and channels change places. */
const swapBatch = (w: OnnxWriter, x: string) => w.node('Transpose', [x], { perm: [3, 0, 1, 2] });

const windowAttributes = ({ strides, dilations, pads: [top, bottom, left, right] }: WindowAttrs) => ({
  strides: [...strides],
  dilations: [...dilations],
  pads: [top, left, bottom, right],
});

/** What ConvTranspose leaves out at the lower and right edge of the image it is to give. */
function outputPadding(image: Value, dy: Value, filter: readonly number[], a: WindowAttrs): number[] {
  const lost = (axis: 0 | 1, before: number, after: number) => {
    const reached = (dy.shape[axis + 1]! - 1) * a.strides[axis] + a.dilations[axis] * (filter[axis]! - 1) + 1;
    return image.shape[axis + 1]! - (reached - before - after);
  };
  return [lost(0, a.pads[0], a.pads[1]), lost(1, a.pads[2], a.pads[3])];
}

/** Filter `[fh, fw, c, m]` of a depthwise convolution as ONNX's `[c·m, 1, fh, fw]`. */
function depthwiseFilter(w: OnnxWriter, name: string, filter: readonly number[]): string {
  const [fh, fw, c, m] = filter as [number, number, number, number];
  return w.node('Reshape', [w.node('Transpose', [name], { perm: [2, 3, 0, 1] }), w.ints([c * m, 1, fh, fw])]);
}

/** A gradient of a filter comes out larger than the filter when strides do not divide the image. */
const cropWindow = (w: OnnxWriter, x: string, [fh, fw]: readonly number[]) =>
  w.node('Slice', [x, w.ints([0, 0]), w.ints([fh!, fw!]), w.ints([2, 3])]);

const swapStrides = (a: WindowAttrs) => windowAttributes({ strides: a.dilations, dilations: a.strides, pads: a.pads });

function resizeAxes(
  w: OnnxWriter,
  x: string,
  image: readonly number[],
  matrices: [Float32Array, Float32Array],
  to: [number, number],
): string {
  const [n, h, width, c] = image as [number, number, number, number];
  const rows = w.node('Reshape', [x, w.reshapeTarget([n, h, width * c])]);
  const tall = w.node('MatMul', [w.tensor(matrices[0], [to[0], h]), rows]);
  const columns = w.node('Reshape', [tall, w.reshapeTarget([n * to[0], width, c])]);
  const wide = w.node('MatMul', [w.tensor(matrices[1], [to[1], width]), columns]);
  return w.node('Reshape', [wide, w.reshapeTarget([n, to[0], to[1], c])]);
}

const resizeGrad =
  <O extends 'ResizeNearestGrad' | 'ResizeBilinearGrad'>(kind: 'nearest' | 'bilinear'): Emit<O> =>
  (w, [dy], node: NodeOf<O>) => {
    const attrs = node.attrs as ResizeAttrs;
    const [, H, W] = node.inputs[0]!.shape as [number, number, number];
    const [n, h, width, c] = node.output.shape as [number, number, number, number];
    if (kind === 'nearest' && !attrs.alignCorners && H % h === 0 && W % width === 0) {
      // Whole factors: every cell was copied into a block, whose gradients add up.
      const blocks = w.node('Reshape', [dy!, w.reshapeTarget([n, h, H / h, width, W / width, c])]);
      return w.node('ReduceSum', [blocks, w.ints([2, 4])], { keepdims: 0 });
    }
    const matrices: [Float32Array, Float32Array] = [
      transposed(resizeMatrix(kind, h, H, attrs), H, h),
      transposed(resizeMatrix(kind, width, W, attrs), W, width),
    ];
    return resizeAxes(w, dy!, node.inputs[0]!.shape, matrices, [h, width]);
  };

const poolAttributes = (attrs: WindowAttrs & { size: [number, number] }) => {
  const { strides, pads } = windowAttributes(attrs);
  return { strides, pads, kernel_shape: [...attrs.size] };
};

export const IMAGE_EMITTERS: { [O in ImageOp]: Emit<O> } = {
  Conv2D(w, [x, filter], { attrs, inputs, output }) {
    const shapes = { image: inputs[0]!.shape, out: output.shape, filter: inputs[1]!.shape };
    const product = convProduct(w, x!, filter!, attrs, shapes);
    if (product !== undefined) return product;
    const weights = w.node('Transpose', [filter!], { perm: [3, 2, 0, 1] });
    return fromChannels(w, w.node('Conv', [toChannels(w, x!), weights], windowAttributes(attrs)));
  },
  Conv2DInputGrad(w, [dy, filter], { attrs, inputs, output }) {
    const { pads } = turnedPads(attrs, inputs[1]!.shape);
    if (isUnit(attrs) && pads.every((pad) => pad >= 0)) {
      // Without strides it is a convolution by the filter turned round, for which onnxruntime has the faster kernel.
      const [first, last] = [w.ints([-1, -1]), w.ints([-INT64_MAX, -INT64_MAX])];
      const turned = w.node('Slice', [filter!, first, last, w.ints([0, 1]), first]);
      const weights = w.node('Transpose', [turned], { perm: [2, 3, 0, 1] });
      return fromChannels(w, w.node('Conv', [toChannels(w, dy!), weights], windowAttributes({ ...attrs, pads })));
    }
    const weights = w.node('Transpose', [filter!], { perm: [3, 2, 0, 1] });
    return fromChannels(
      w,
      w.node('ConvTranspose', [toChannels(w, dy!), weights], {
        ...windowAttributes(attrs),
        output_padding: outputPadding(output, inputs[0]!, inputs[1]!.shape, attrs),
      }),
    );
  },
  Conv2DFilterGrad: (w, [x, dy], { attrs, inputs, output }) =>
    convFilterGrad(w, x!, dy!, attrs, { image: inputs[0]!.shape, out: inputs[1]!.shape, filter: output.shape }),
  DepthwiseConv2D(w, [x, filter], { attrs, inputs }) {
    const shape = inputs[1]!.shape;
    const weights = depthwiseFilter(w, filter!, shape);
    return fromChannels(
      w,
      w.node('Conv', [toChannels(w, x!), weights], { ...windowAttributes(attrs), group: shape[2]! }),
    );
  },
  DepthwiseInputGrad(w, [dy, filter], { attrs, inputs, output }) {
    const shape = inputs[1]!.shape;
    const [fh, fw, c, m] = shape as [number, number, number, number];
    const gradOf = (part: string, weights: string): string =>
      w.node('ConvTranspose', [toChannels(w, part), depthwiseFilter(w, weights, [fh, fw, c, 1])], {
        ...windowAttributes(attrs),
        group: c,
        output_padding: outputPadding(output, inputs[0]!, shape, attrs),
      });
    if (m === 1) return fromChannels(w, gradOf(dy!, filter!));
    // The outputs of a channel one after the other: groups of several channels come out wrong on a GPU.
    const outputs = w.node('Reshape', [dy!, w.reshapeTarget([...inputs[0]!.shape.slice(0, 3), c, m])]);
    const grads = upTo(m).map((i) =>
      gradOf(
        w.node('Gather', [outputs, w.scalar(i, 'int64')], { axis: 4 }),
        w.node('Gather', [filter!, w.ints([i])], { axis: 3 }),
      ),
    );
    return fromChannels(
      w,
      grads.reduce((sum, grad) => w.node('Add', [sum, grad])),
    );
  },
  DepthwiseFilterGrad(w, [x, dy], { attrs, inputs, output }) {
    const [n, h, width, c] = inputs[0]!.shape as [number, number, number, number];
    const [fh, fw, , m] = output.shape as [number, number, number, number];
    // One group a channel, its images the channels of the group.
    const images = w.node('Reshape', [swapBatch(w, x!), w.ints([1, c * n, h, width])]);
    const grad = w.node('Conv', [images, swapBatch(w, dy!)], { ...swapStrides(attrs), group: c });
    const shaped = w.node('Reshape', [cropWindow(w, grad, output.shape), w.ints([c, m, fh, fw])]);
    return w.node('Transpose', [shaped], { perm: [2, 3, 0, 1] });
  },
  MaxPool: (w, [x], { attrs }) => fromChannels(w, w.node('MaxPool', [toChannels(w, x!)], poolAttributes(attrs))),
  MaxPoolGrad(w, [dy, x], { attrs, inputs, output }) {
    const [n, h, width, c] = output.shape as [number, number, number, number];
    const indices = w.gpu
      ? largestCells(w, x!, attrs, output.shape, inputs[0]!.shape)
      : w.nodeOf('MaxPool', [toChannels(w, x!)], 2, poolAttributes(attrs))[1];
    const flat = (name: string) => w.node('Reshape', [name, w.ints([-1])]);
    const zeros = emitConstant(w, 0, [n * h * width * c], 'float32');
    const scattered = w.node('ScatterElements', [zeros, flat(indices!), flat(toChannels(w, dy!))], {
      axis: 0,
      reduction: 'add',
    });
    return fromChannels(w, w.node('Reshape', [scattered, w.reshapeTarget([n, c, h, width])]));
  },
  AvgPool: (w, [x], { attrs }) =>
    fromChannels(w, w.node('AveragePool', [toChannels(w, x!)], { ...poolAttributes(attrs), count_include_pad: 0 })),
  AvgPoolGrad(w, [dy], { attrs, inputs, output }) {
    const c = output.shape[3]!;
    const counts = cellCounts(attrs, output.shape, inputs[0]!.shape);
    const shares = w.node('Div', [toChannels(w, dy!), w.tensor(counts, [1, 1, ...inputs[0]!.shape.slice(1, 3)])]);
    const ones = w.tensor(new Float32Array(c * attrs.size[0] * attrs.size[1]).fill(1), [c, 1, ...attrs.size]);
    return fromChannels(
      w,
      w.node('ConvTranspose', [shares, ones], {
        ...windowAttributes(attrs),
        group: c,
        output_padding: outputPadding(output, inputs[0]!, attrs.size, attrs),
      }),
    );
  },
  ResizeNearest(w, [x], { attrs, inputs, output }) {
    const [, h, width] = inputs[0]!.shape as [number, number, number];
    const [n, H, W, c] = output.shape as [number, number, number, number];
    if (!attrs.alignCorners && H % h === 0 && W % width === 0) {
      // Whole factors: every cell is repeated, and so is every row. Copies beside each other are faster than Gather.
      const repeat = (name: string, times: number, cells: number) =>
        times === 1
          ? name
          : w.node('Concat', new Array<string>(times).fill(w.node('Reshape', [name, w.ints([-1, 1, cells])])), {
              axis: 1,
            });
      const wide = repeat(x!, W / width, c);
      return w.node('Reshape', [repeat(wide, H / h, W * c), w.reshapeTarget([n, H, W, c])]);
    }
    const rows = w.node('Gather', [x!, w.tensor(nearestIndices(h, H, attrs), [H])], { axis: 1 });
    return w.node('Gather', [rows, w.tensor(nearestIndices(width, W, attrs), [W])], { axis: 2 });
  },
  ResizeNearestGrad: resizeGrad('nearest'),
  ResizeBilinear(w, [x], { attrs, inputs, output }) {
    const [, h, width] = inputs[0]!.shape as [number, number, number];
    const [, H, W] = output.shape as [number, number, number];
    const matrices: [Float32Array, Float32Array] = [
      resizeMatrix('bilinear', h, H, attrs),
      resizeMatrix('bilinear', width, W, attrs),
    ];
    return resizeAxes(w, x!, inputs[0]!.shape, matrices, [H, W]);
  },
  ResizeBilinearGrad: resizeGrad('bilinear'),
};

/** Where in a flat `[n, c, h, w]` the largest cell of each window is, `[n, c, oh, ow]`: the second output of MaxPool. */
function largestCells(
  w: OnnxWriter,
  x: string,
  attrs: WindowAttrs & { size: [number, number] },
  image: readonly number[],
  out: readonly number[],
): string {
  const [n, h, width, c] = image as [number, number, number, number];
  const [, oh, ow] = out as [number, number, number];
  const [fh, fw] = attrs.size;
  const [top, bottom, left, right] = attrs.pads;
  const padded = w.node('Pad', [x, w.ints([0, top, left, 0, 0, bottom, right, 0]), w.scalar(-3.4e38)]);
  const taps = upTo(fh * fw).map((tap) => {
    const columns = cells(w, padded, 2, tap % fw, ow, width + left + right, attrs.strides[1]);
    const one = cells(w, columns, 1, Math.floor(tap / fw), oh, h + top + bottom, attrs.strides[0]);
    return w.node('Reshape', [one, w.ints([n, oh, ow, c, 1])]);
  });
  const chosen = w.node('ArgMax', [w.node('Concat', taps, { axis: 4 })], { axis: 4, keepdims: 0 });
  const offsets = Int32Array.from(upTo(fh * fw), (tap) => Math.floor(tap / fw) * width + (tap % fw));
  const starts = Int32Array.from(upTo(n * oh * ow * c), (i) => {
    const [channel, column] = [i % c, Math.floor(i / c) % ow];
    const row = Math.floor(i / (c * ow)) % oh;
    const plane = Math.floor(i / (c * ow * oh)) * c + channel;
    return plane * h * width + (row * attrs.strides[0] - top) * width + column * attrs.strides[1] - left;
  });
  const within = w.node('Gather', [w.tensor(offsets, [fh * fw]), chosen], { axis: 0 });
  return toChannels(w, w.node('Add', [w.tensor(starts, [n, oh, ow, c]), within]));
}

/** How many real cells each window of a mean covers, `[oh, ow]`. */
function cellCounts(
  attrs: WindowAttrs & { size: [number, number] },
  image: readonly number[],
  out: readonly number[],
): Float32Array {
  const along = (axis: 0 | 1, before: number) =>
    Array.from({ length: out[axis + 1]! }, (_, i) => {
      const start = i * attrs.strides[axis] - before;
      return Math.min(image[axis + 1]!, start + attrs.size[axis]) - Math.max(0, start);
    });
  const [rows, columns] = [along(0, attrs.pads[0]), along(1, attrs.pads[2])];
  return Float32Array.from(rows.flatMap((r) => columns.map((c) => r * c)));
}
