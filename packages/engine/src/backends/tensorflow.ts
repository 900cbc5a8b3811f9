import { createRequire } from 'node:module';

import * as tf from '@tensorflow/tfjs';

import { engineUnavailable } from '../engine-unavailable.ts';
import { tensorflowForward } from '../tensorflow/forward.ts';
import { tensorflowTraining } from '../tensorflow/training.ts';
import { threadsFor, threadSetting } from '../threads.ts';
import type { Engine } from '../types.ts';
import { tensorflowIdentity } from './identity.ts';
import { requireWithOneTfjs } from './one-tfjs.ts';
import type { TensorflowLocation } from './tensorflow-location.ts';

/**
 * TensorFlow by tfjs-node, which registers its backend with the tfjs that is already here, since tfjs keeps one engine a
 * process. The number of threads is the process's for good: with `auto` the first net it compiles decides, and the library
 * is loaded only then.
 */
export async function loadTensorflow(location: TensorflowLocation): Promise<Engine> {
  let loading: Promise<void> | undefined;
  const loaded = (work: () => number): Promise<void> =>
    (loading ??= load(location, threadsFor(work())).catch((error: unknown) => {
      loading = undefined;
      throw engineUnavailable('tensorflow', (error as Error).message, { cause: error });
    }));
  if (threadSetting() !== 'auto' || process.env.TF_NUM_INTRAOP_THREADS !== undefined) await loaded(() => 0);
  return {
    ...tensorflowIdentity(location),
    compileTraining: (spec) => tensorflowTraining(spec, loaded),
    async compileForward(spec) {
      await loaded(() => 0);
      return tensorflowForward(spec);
    },
  };
}

async function load(location: TensorflowLocation, threads: number): Promise<void> {
  // Read by the library as it loads.
  process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  process.env.TF_NUM_INTEROP_THREADS ??= '1';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  // Node 23 removed two functions that tfjs-node calls.
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  util.isNullOrUndefined ??= (x: unknown) => x === null || x === undefined;
  util.isArray ??= Array.isArray;
  try {
    requireWithOneTfjs(location.require, location.packageName);
  } catch (error) {
    throw new Error(loadProblem(location.packageName, error), { cause: error });
  }
  if (!(await tf.setBackend('tensorflow'))) throw new Error(`${location.packageName} registered no backend`);
}

/** Why a native addon does not load, in words for people. */
function loadProblem(packageName: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const again = 'Run `npx hourglass engine install tensorflow` on this machine';
  const [, library] = /(\S+\.so[.\d]*): cannot open shared object file/.exec(message) ?? [];
  if (library) return `${packageName} needs the library ${library}, which is not here. ${again}`;
  if (/ELF|not a valid Win32|mach-o|incompatible architecture|ERR_DLOPEN_FAILED.*arch/i.test(message))
    return `${packageName} was built for another processor or system than ${process.platform} ${process.arch}. ${again}`;
  return `${packageName} cannot be loaded: ${message.split('\n')[0]}`;
}
