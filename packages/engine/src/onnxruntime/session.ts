import { InferenceSession, type Tensor } from 'onnxruntime-node';

import { nativeFailure } from '../compiled/native-failure.ts';

/** Feeds and results of a session. */
export type Feeds = Record<string, Tensor>;

/** Opens a model in onnxruntime. */
export async function openSession(model: Uint8Array, threads: number): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      // Moments of Adam fade into subnormal numbers, with which processors calculate a hundred times slower.
      extra: { session: { set_denormal_as_zero: '1' } },
    });
  } catch (error) {
    throw nativeFailure('onnxruntime', 'refused a model', error);
  }
}

/** @param size what to make smaller when memory runs out, for the message @throws ENGINE_FAILED */
export async function runSession(session: InferenceSession, feeds: Feeds, size: string): Promise<Feeds> {
  try {
    return (await session.run(feeds)) as Feeds;
  } catch (error) {
    throw nativeFailure('onnxruntime', 'failed', error, size);
  }
}
