import { HourglassError } from '@hourglass/core';
import type { Tensor } from '@tensorflow/tfjs';

import type { StepContext } from './types.ts';

/** `context.update` of one training step, and what it was given. */
export interface BufferUpdates<T> {
  update: StepContext['update'];
  /** Value of each buffer after the step. @throws CALL_INVALID a buffer the step gave none */
  next(): Map<string, T>;
}

/**
 * @param buffers the tensors handed to the step, by name
 * @param read what to keep of a value: the tensor itself may be gone when the step is over
 */
export function bufferUpdates<T>(buffers: Record<string, Tensor>, read: (value: Tensor) => T): BufferUpdates<T> {
  const names = new Map(Object.entries(buffers).map(([name, tensor]) => [tensor, name]));
  const values = new Map<string, T>();
  return {
    update(buffer, value) {
      const name = names.get(buffer);
      if (name === undefined)
        throw new HourglassError(
          'CALL_INVALID',
          'context.update: expected a parameter listed in the buffers of the training ' +
            `(${Object.keys(buffers).join(', ') || 'it has none'}), as it was handed to the step; found another tensor.`,
        );
      if (values.has(name))
        throw new HourglassError(
          'CALL_INVALID',
          `context.update: buffer ${name} was given a value in this step already.`,
        );
      if (value.shape.join() !== buffer.shape.join() || value.dtype !== 'float32')
        throw new HourglassError(
          'CALL_INVALID',
          `context.update: buffer ${name} expects float32 [${buffer.shape.join(', ')}], found ${value.dtype} [${value.shape.join(', ')}].`,
        );
      values.set(name, read(value));
    },
    next() {
      const missing = Object.keys(buffers).find((name) => !values.has(name));
      if (missing !== undefined)
        throw new HourglassError(
          'CALL_INVALID',
          `Buffer ${missing} was given no value by the step: expected one call of context.update in every step.`,
        );
      return values;
    },
  };
}

/** What `context.update` does where nothing is trained. */
export const noUpdate: StepContext['update'] = () => undefined;
