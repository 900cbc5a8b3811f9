import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageVersion } from '../package-version.ts';
import { threadClass } from '../threads.ts';
import type { EngineIdentity } from '../types.ts';
import type { TensorflowLocation } from './tensorflow-location.ts';

// Node has WebAssembly; the type library without a browser's globals does not.
declare const WebAssembly: { validate(bytes: Uint8Array): boolean };

/** An empty function with one SIMD instruction: a machine that refuses it gets the scalar binary. */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11],
);

export function cpuIdentity(): EngineIdentity {
  const tfjs = packageVersion('@tensorflow/tfjs');
  return { name: 'cpu', class: `tfjs-cpu-${tfjs}`, libraries: { '@tensorflow/tfjs': tfjs } };
}

export function wasmIdentity(): EngineIdentity {
  const tfjs = packageVersion('@tensorflow/tfjs');
  const wasm = packageVersion('@tensorflow/tfjs-backend-wasm');
  return {
    name: 'wasm',
    class: `tfjs-wasm-${wasm}${WebAssembly.validate(SIMD_PROBE) ? '-simd' : ''}`,
    libraries: { '@tensorflow/tfjs': tfjs, '@tensorflow/tfjs-backend-wasm': wasm },
  };
}

export function onnxruntimeIdentity(): EngineIdentity {
  const runtime = packageVersion('onnxruntime-node');
  return {
    name: 'onnxruntime',
    // Its sums come in another order on several threads.
    class: `onnxruntime-${runtime}-cpu${threadClass()}`,
    // tfjs writes the graph: which kernels a step is made of, and their gradients, are its doing.
    libraries: { '@tensorflow/tfjs': packageVersion('@tensorflow/tfjs'), 'onnxruntime-node': runtime },
  };
}

export function webgpuIdentity(): EngineIdentity {
  const { libraries } = onnxruntimeIdentity();
  return { name: 'webgpu', class: `onnxruntime-${libraries['onnxruntime-node']}-webgpu`, libraries };
}

export function tensorflowIdentity({ packageName, folder, require }: TensorflowLocation): EngineIdentity {
  const native = nativeVersion(folder);
  return {
    name: 'tensorflow',
    class: `tensorflow-${native}-${packageName.endsWith('-gpu') ? 'gpu' : 'cpu'}`,
    libraries: {
      '@tensorflow/tfjs': packageVersion('@tensorflow/tfjs'),
      [packageName]: packageVersion(packageName, require),
      tensorflow: native,
    },
  };
}

/** The version in the record of our installation or in the C header of a stock one, so that nothing has to be loaded. */
function nativeVersion(folder: string): string {
  const record = join(folder, '..', '..', '..', 'install.json');
  if (existsSync(record)) return (JSON.parse(readFileSync(record, 'utf8')) as { tensorflow: string }).tensorflow;
  for (const header of ['tensorflow/core/public/version.h', 'tensorflow/core/public/release_version.h']) {
    let text: string;
    try {
      text = readFileSync(join(folder, 'deps', 'include', header), 'utf8');
    } catch {
      continue;
    }
    const parts = ['MAJOR', 'MINOR', 'PATCH'].map(
      (part) => text.match(new RegExp(`define TF_${part}_VERSION\\s+(\\d+)`))?.[1],
    );
    if (parts.every(Boolean)) return parts.join('.');
  }
  return 'unknown';
}
