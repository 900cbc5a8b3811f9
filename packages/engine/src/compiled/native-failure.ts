import { HourglassError } from '@hourglass/core';

/**
 * What a native library reports when memory runs out: TensorFlow's two ways, onnxruntime's, C++'s, and WebGPU's, which
 * cuts a large tensor into buffers and has too many of them.
 */
const OUT_OF_MEMORY =
  /\bOOM\b|RESOURCE_EXHAUSTED|out of memory|Failed to allocate memory|bad_alloc|max buffer size|Too many storage buffers/i;

/**
 * The error of a call into a native engine. @param what the engine did @param size what to make smaller when memory ran
 * out (`batches of 256 rows`)
 */
export function nativeFailure(engine: string, what: string, cause: unknown, size?: string): HourglassError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const line = text.split('\n')[0]!;
  if (size !== undefined && OUT_OF_MEMORY.test(text))
    return new HourglassError(
      'ENGINE_FAILED',
      `${engine} ran out of memory with ${size}. Make them smaller (batchSize; half is a good next try). (${line})`,
      { cause },
    );
  return new HourglassError('ENGINE_FAILED', `${engine} ${what}: ${line}`, { cause });
}
