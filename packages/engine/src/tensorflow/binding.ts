import * as tf from '@tensorflow/tfjs';

/** What tfjs-node's addon offers below the level of operations. Tensors are numbers that must be deleted. */
export interface Binding {
  createTensor(shape: number[], dtype: number, values: Float32Array | Int32Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  /** Names are joined by commas: `NODE:0,NODE:0`. */
  runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): { id: number }[];
  isUsingGpuDevice(): boolean;
}

/** The addon under the registered backend `tensorflow`. */
export const tensorflowBinding = (): Binding =>
  (tf.findBackend('tensorflow') as unknown as { binding: Binding }).binding;
