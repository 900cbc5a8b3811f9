import { disposeTensors, toGpu, type GpuTensors } from './gpu-copies.ts';
import type { Feeds } from './session.ts';
import type { Arrays } from './state-arrays.ts';

/** Tensors that a GPU keeps, of which others may take the place. */
export interface HeldOnGpu {
  tensors(): Promise<Feeds>;
  /** Other values, copied to the GPU when they are first needed. */
  write(arrays: Arrays): void;
  /** Other tensors, of the GPU already. */
  replace(tensors: Feeds): void;
  dispose(): void;
}

export function heldOnGpu(first: Arrays = {}): HeldOnGpu {
  let waiting: Arrays | undefined = first;
  let held: Promise<GpuTensors> | undefined;
  const dispose = () => {
    held?.then(
      (one) => one.dispose(),
      () => undefined,
    );
    held = undefined;
  };
  return {
    async tensors() {
      // What lies in the memory of the GPU need not lie here too.
      if (waiting) [held, waiting] = [toGpu(waiting), undefined];
      return (await held!).tensors;
    },
    write(arrays) {
      dispose();
      waiting = arrays;
    },
    replace(tensors) {
      dispose();
      held = Promise.resolve({ tensors, dispose: () => disposeTensors(tensors) });
    },
    dispose,
  };
}
