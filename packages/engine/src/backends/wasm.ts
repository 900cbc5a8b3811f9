import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';

import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

import { eagerEngine } from '../eager/engine.ts';
import type { Engine } from '../types.ts';
import { quietHost } from './cpu.ts';
import { wasmIdentity } from './identity.ts';
import { mendWasmKernels } from './wasm-kernels.ts';

let mended = false;

/** WebAssembly with SIMD: nothing to install, faster than plain JavaScript by an order of magnitude. */
export async function loadWasm(): Promise<Engine> {
  if (!mended) {
    const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
    setWasmPaths(join(folder, sep));
    setThreadsCount(1);
    mendWasmKernels();
    mended = true;
  }
  quietHost();
  if (!(await tf.setBackend('wasm'))) throw new Error('the wasm binary could not be loaded');
  return eagerEngine(wasmIdentity(), 'wasm');
}
