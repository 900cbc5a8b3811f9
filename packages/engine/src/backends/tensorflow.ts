import { createRequire } from 'node:module';

import * as tf from '@tensorflow/tfjs';

import { requireWithOneTfjs } from './one-tfjs.ts';
import { tensorflowForward } from '../tensorflow/forward.ts';
import { tensorflowTraining } from '../tensorflow/training.ts';
import type { Engine } from '../types.ts';
import { tensorflowIdentity } from './identity.ts';
import type { TensorflowLocation } from './tensorflow-location.ts';

/** Loads tfjs-node; it registers its backend with the tfjs that is already here, since tfjs keeps one engine a process. */
export async function loadTensorflow(location: TensorflowLocation): Promise<Engine> {
  // One thread unless told otherwise: nets of this size are slower with two. Read by the library as it loads.
  process.env.TF_NUM_INTRAOP_THREADS ??= '1';
  process.env.TF_NUM_INTEROP_THREADS ??= '1';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // Node 23 removed two functions that tfjs-node calls.
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  util.isNullOrUndefined ??= (x: unknown) => x === null || x === undefined;
  util.isArray ??= Array.isArray;
  requireWithOneTfjs(location.require, location.packageName);
  if (!(await tf.setBackend('tensorflow'))) throw new Error(`${location.packageName} registered no backend`);
  return {
    ...tensorflowIdentity(location),
    compileTraining: tensorflowTraining,
    compileForward: async (spec) => tensorflowForward(spec),
  };
}
