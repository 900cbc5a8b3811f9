import { InferenceSession, type Tensor } from 'onnxruntime-node';

import { nativeFailure } from '../compiled/native-failure.ts';

/** Feeds and results of a session. */
export type Feeds = Record<string, Tensor>;

/** What computes a session: the processor, or a GPU that keeps some outputs in its memory. */
export type SessionTarget =
  { engine: 'onnxruntime'; threads: number } | { engine: 'webgpu'; /** Names of outputs. */ keep: readonly string[] };

/** A model that onnxruntime has opened. */
export interface Session {
  /** @param size what to make smaller when memory runs out, for the message @throws ENGINE_FAILED */
  run(feeds: Feeds, size: string): Promise<Feeds>;
  dispose(): void;
}

/** Opens a model in onnxruntime. @throws ENGINE_FAILED */
export async function openSession(model: Uint8Array, target: SessionTarget): Promise<Session> {
  const { engine } = target;
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(model, {
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      interOpNumThreads: 1,
      ...(target.engine === 'webgpu' ? gpuOptions(target.keep) : processorOptions(target.threads)),
    });
  } catch (error) {
    throw nativeFailure(engine, 'refused a model', error);
  }
  return {
    async run(feeds, size) {
      try {
        return (await session.run(feeds)) as Feeds;
      } catch (error) {
        throw nativeFailure(engine, 'failed', error, size);
      }
    },
    dispose: () => void session.release(),
  };
}

const processorOptions = (threads: number): InferenceSession.SessionOptions => ({
  intraOpNumThreads: threads,
  // Moments of Adam fade into subnormal numbers, with which processors calculate a hundred times slower.
  extra: { session: { set_denormal_as_zero: '1' } },
});

const gpuOptions = (keep: readonly string[]): InferenceSession.SessionOptions => ({
  executionProviders: ['webgpu'],
  intraOpNumThreads: 1,
  preferredOutputLocation: Object.fromEntries(keep.map((name) => [name, 'gpu-buffer'])),
});
