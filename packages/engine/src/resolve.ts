import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { didYouMean, HourglassError } from '@hourglass/core';

import {
  cpuIdentity,
  onnxruntimeIdentity,
  tensorflowIdentity,
  wasmIdentity,
  webgpuIdentity,
} from './backends/identity.ts';
import { findTensorflow } from './backends/tensorflow-location.ts';
import { vulkanStatus } from './backends/vulkan.ts';
import { engineUnavailable } from './engine-unavailable.ts';
import type { Engine, EngineIdentity, EngineName, EngineStatus } from './types.ts';

/** Best first: the order in which `auto` tries. */
export const ENGINE_NAMES = ['tensorflow', 'onnxruntime', 'webgpu', 'wasm', 'cpu'] as const satisfies EngineName[];

/** Part of Hourglass: one operation after another by JavaScript or WebAssembly, where the others run whole graphs in native code. */
export const isBuiltIn = (name: string): boolean => name === 'wasm' || name === 'cpu';

interface Candidate {
  /** Whether it is here, found without loading it. */
  status(): Omit<EngineStatus, 'name'>;
  /** Only when available. */
  identity(): EngineIdentity;
  load(): Promise<Engine>;
}

const CANDIDATES: Record<EngineName, Candidate> = {
  tensorflow: {
    status() {
      const found = findTensorflow();
      if (found?.built) return { available: true, reason: `${found.packageName} is installed` };
      return {
        available: false,
        reason: found ? `the addon of ${found.packageName} is not built` : '@tensorflow/tfjs-node is not installed',
        remedy: 'Run `npx hourglass engine install tensorflow`, or add @tensorflow/tfjs-node to the project.',
      };
    },
    identity: () => tensorflowIdentity(findTensorflow()!),
    load: async () => (await import('./backends/tensorflow.ts')).loadTensorflow(findTensorflow()!),
  },
  onnxruntime: {
    status: onnxruntimeStatus,
    identity: onnxruntimeIdentity,
    load: async () => (await import('./backends/onnxruntime.ts')).loadOnnxruntime(),
  },
  webgpu: {
    status: webgpuStatus,
    identity: webgpuIdentity,
    load: async () => (await import('./backends/webgpu.ts')).loadWebgpu(),
  },
  wasm: {
    status: () => ({ available: true, reason: 'WebAssembly is part of Node' }),
    identity: wasmIdentity,
    load: async () => (await import('./backends/wasm.ts')).loadWasm(),
  },
  cpu: {
    status: () => ({ available: true, reason: 'plain JavaScript' }),
    identity: cpuIdentity,
    load: async () => (await import('./backends/cpu.ts')).loadCpu(),
  },
};

/** The package carries its library for the platforms it knows; on others only the package is there. */
function onnxruntimeStatus(): Omit<EngineStatus, 'name'> {
  const remedy = 'Reinstall the packages (`npm ci`), or use engine wasm.';
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
    const platform = `${process.platform}/${process.arch}`;
    const library = existsSync(
      join(folder, 'bin', 'napi-v6', process.platform, process.arch, 'onnxruntime_binding.node'),
    );
    return library
      ? { available: true, reason: 'onnxruntime-node is installed' }
      : { available: false, reason: `onnxruntime-node has no library for ${platform}`, remedy };
  } catch {
    return { available: false, reason: 'onnxruntime-node is not installed', remedy };
  }
}

/** onnxruntime carries it; it computes through the GPU's driver, which macOS and Windows bring along. */
function webgpuStatus(): Omit<EngineStatus, 'name'> {
  const library = onnxruntimeStatus();
  return library.available && process.platform === 'linux' ? vulkanStatus() : library;
}

/** Every engine, present or not, best first, without loading any. */
export const engineStatuses = (): EngineStatus[] =>
  ENGINE_NAMES.map((name) => ({ name, ...CANDIDATES[name].status() }));

/** Which engine a name means here, and why. @throws ENGINE_UNAVAILABLE */
function choose(name: EngineName | 'auto'): { name: EngineName; reason: string } {
  if (name === 'auto') {
    const statuses = engineStatuses();
    const best = statuses.findIndex((status) => status.available);
    const passed = statuses.slice(0, best).map((status) => `${status.name}: ${status.reason}`);
    const chosen = statuses[best]!.name;
    return { name: chosen, reason: `auto chose ${chosen}${passed.length ? ` (${passed.join('; ')})` : ''}` };
  }
  if (!(ENGINE_NAMES as readonly string[]).includes(name)) {
    const near = didYouMean(String(name), ['auto', ...ENGINE_NAMES]);
    throw new HourglassError(
      'ENGINE_UNAVAILABLE',
      `Engine: expected one of auto, ${ENGINE_NAMES.join(', ')}; found ${JSON.stringify(name)}.` +
        (near ? ` Did you mean ${near}?` : ''),
      { details: { engine: name, remedy: `Use one of auto, ${ENGINE_NAMES.join(', ')}.` } },
    );
  }
  const status = CANDIDATES[name].status();
  if (!status.available) throw engineUnavailable(name, status.reason, { remedy: status.remedy });
  return { name, reason: `${name} was asked for` };
}

/**
 * Name, class and library versions of the engine that `resolveEngine` gives for a name, in a few milliseconds: no
 * tensor library is loaded.
 *
 * @throws ENGINE_UNAVAILABLE as resolveEngine
 */
export async function engineIdentity(name: EngineName | 'auto' = 'auto'): Promise<EngineIdentity> {
  return CANDIDATES[choose(name).name].identity();
}

const loaded = new Map<EngineName, Promise<Engine>>();

/**
 * The engine of that name, or with `auto` the best one present; its `reason` says why it was chosen. An engine that is
 * present but cannot be loaded is an error, with `auto` too: another one would give other bytes under a key computed
 * for this one.
 *
 * @throws ENGINE_UNAVAILABLE with the reason and the remedy
 */
export async function resolveEngine(name: EngineName | 'auto' = 'auto'): Promise<Engine> {
  const chosen = choose(name);
  let engine = loaded.get(chosen.name);
  if (!engine) {
    engine = CANDIDATES[chosen.name].load();
    loaded.set(chosen.name, engine);
    // A failure is not remembered: what was missing may be there the next time.
    engine.catch(() => loaded.delete(chosen.name));
  }
  try {
    return { ...(await engine), reason: chosen.reason };
  } catch (error) {
    // A setting that is wrong says so itself.
    if (error instanceof HourglassError) throw error;
    throw engineUnavailable(chosen.name, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
