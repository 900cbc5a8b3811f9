import * as tf from '@tensorflow/tfjs';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

type Infos = Record<string, tf.TensorInfo>;
type Kernel = (args: { inputs: Infos; backend: BackendWasm; attrs: Record<string, unknown> }) => tf.TensorInfo;

const kernel = (name: string): Kernel => tf.getKernel(name, 'wasm').kernelFunc as unknown as Kernel;

function replace(name: string, make: (original: Kernel) => Kernel): void {
  const { setupFunc, kernelFunc } = tf.getKernel(name, 'wasm');
  tf.unregisterKernel(name, 'wasm');
  tf.registerKernel({
    kernelName: name,
    backendName: 'wasm',
    setupFunc,
    kernelFunc: make(kernelFunc as unknown as Kernel) as unknown as tf.KernelFunc,
  });
}

/**
 * Makes the wasm backend fit for training:
 * - products with a transposed operand take a scalar path there, 2–3 times slower than transposing first;
 * - a fused product with a transpose or a batch, a bias and an inner dimension above 48 gives wrong results;
 * - kernels that some gradients need are missing: they run on the host instead.
 */
export function mendWasmKernels(): void {
  replace('BatchMatMul', (original) => ({ inputs, backend, attrs }) => {
    const a = attrs.transposeA ? swapLastAxes(inputs.a!, backend) : inputs.a!;
    const b = attrs.transposeB ? swapLastAxes(inputs.b!, backend) : inputs.b!;
    const out = original({ inputs: { a, b }, backend, attrs: { transposeA: false, transposeB: false } });
    if (a !== inputs.a) backend.disposeData(a.dataId);
    if (b !== inputs.b) backend.disposeData(b.dataId);
    return out;
  });
  replace('_FusedMatMul', () => unfusedMatMul);
  registerUnsortedSegmentSum();
  for (const name of [
    'Conv2DBackpropFilter',
    'DepthwiseConv2dNativeBackpropFilter',
    'DepthwiseConv2dNativeBackpropInput',
  ])
    registerOnHost(name);
}

function swapLastAxes(x: tf.TensorInfo, backend: BackendWasm): tf.TensorInfo {
  const rank = x.shape.length;
  const perm = x.shape.map((_, i) => (i < rank - 2 ? i : i === rank - 2 ? rank - 1 : rank - 2));
  return kernel('Transpose')({ inputs: { x }, backend, attrs: { perm } });
}

const ACTIVATION_KERNELS: Record<string, string> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  prelu: 'Prelu',
  leakyrelu: 'LeakyRelu',
};

const unfusedMatMul: Kernel = ({ inputs, backend, attrs }) => {
  const { a, b, bias, preluActivationWeights } = inputs;
  const { transposeA, transposeB, activation, leakyreluAlpha } = attrs;
  const steps: ((x: tf.TensorInfo) => tf.TensorInfo)[] = [];
  if (bias) steps.push((x) => kernel('Add')({ inputs: { a: x, b: bias }, backend, attrs: {} }));
  if (activation && activation !== 'linear') {
    const name = ACTIVATION_KERNELS[activation as string];
    if (!name) throw new Error(`_FusedMatMul: activation ${String(activation)} is not known to the wasm engine.`);
    steps.push((x) =>
      name === 'Prelu'
        ? kernel(name)({ inputs: { x, alpha: preluActivationWeights! }, backend, attrs: {} })
        : kernel(name)({ inputs: { x }, backend, attrs: { alpha: leakyreluAlpha } }),
    );
  }
  let out = kernel('BatchMatMul')({ inputs: { a: a!, b: b! }, backend, attrs: { transposeA, transposeB } });
  for (const next of steps) {
    const before = out;
    out = next(before);
    backend.disposeData(before.dataId);
  }
  return out;
};

/** Gradient of gather: adds each row of `x` to the output row that `segmentIds` names. Ids outside are left out, as in TensorFlow. */
function registerUnsortedSegmentSum(): void {
  const kernelFunc: Kernel = ({ inputs, backend, attrs }) => {
    const { x, segmentIds } = inputs;
    const numSegments = attrs.numSegments as number;
    const ids = backend.readSync(segmentIds!.dataId) as Int32Array;
    const width = ids.length === 0 ? 0 : tf.util.sizeFromShape(x!.shape) / ids.length;
    const shape = [numSegments, ...x!.shape.slice(segmentIds!.shape.length)];
    const source = backend.readSync(x!.dataId) as Float32Array;
    const sums = x!.dtype === 'int32' ? new Int32Array(numSegments * width) : new Float32Array(numSegments * width);
    for (let i = 0; i < ids.length; i++) {
      if (ids[i]! < 0 || ids[i]! >= numSegments) continue;
      const at = ids[i]! * width;
      for (let j = 0; j < width; j++) sums[at + j] = sums[at + j]! + source[i * width + j]!;
    }
    return backend.makeOutput(shape, x!.dtype, undefined, sums);
  };
  tf.registerKernel({
    kernelName: 'UnsortedSegmentSum',
    backendName: 'wasm',
    kernelFunc: kernelFunc as unknown as tf.KernelFunc,
  });
}

/** Runs tfjs' own `cpu` kernel on values copied out of and back into wasm memory. */
function registerOnHost(kernelName: string): void {
  const onHost = tf.getKernel(kernelName, 'cpu');
  const kernelFunc: Kernel = ({ inputs, backend, attrs }) => {
    const host = tf.findBackend('cpu') as tf.MathBackendCPU;
    const copies = Object.entries(inputs).map(([name, x]): [string, tf.TensorInfo] => [
      name,
      host.makeTensorInfo(x.shape, x.dtype, backend.readSync(x.dataId)),
    ]);
    const out = onHost.kernelFunc({
      inputs: Object.fromEntries(copies),
      backend: host,
      attrs: attrs as tf.NamedAttrMap,
    }) as tf.TensorInfo;
    const values = host.readSync(out.dataId) as Float32Array;
    for (const [, info] of copies) host.disposeData(info.dataId);
    host.disposeData(out.dataId);
    return backend.makeOutput(out.shape, out.dtype, undefined, values);
  };
  tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: kernelFunc as unknown as tf.KernelFunc });
}
