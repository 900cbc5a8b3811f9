export { enginesFolder } from './backends/tensorflow-location.ts';
export { exportOnnx } from './export-onnx.ts';
export type { OnnxModelBuilder, OnnxType } from './onnx/model-builder.ts';
export { drawBernoulli, drawNormal, drawUniform, permutation, type DrawAddress } from './random/draw.ts';
export { hostRandom, type HostRandom } from './random/host-random.ts';
export { philoxFill, type PhiloxCounter, type PhiloxKey } from './random/philox.ts';
export { ENGINE_NAMES, engineIdentity, engineStatuses, isBuiltIn, resolveEngine } from './resolve.ts';
export { scheduleRate } from './schedule.ts';
export { copyRows, gatherRows } from './training-data.ts';
export type * from './types.ts';
export {
  installTensorflow,
  uninstallTensorflow,
  type InstallOptions,
  type InstallRecord,
} from './tensorflow-install/install.ts';
