import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nativeFailure } from '../compiled/native-failure.ts';
import { SERVE, TF_TYPES } from '../graphdef/proto.ts';
import type { DataArray } from '../types.ts';
import { tensorflowBinding } from './binding.ts';

/** A graph loaded into TensorFlow, with variables of its own. */
export interface GraphSession {
  /** Feeds placeholders by name and fetches the first output of nodes. @throws ENGINE_FAILED */
  run(feeds: Record<string, DataArray>, fetches: readonly string[]): (Float32Array | Int32Array)[];
  dispose(): void;
}

/** Loads `saved_model.pb`. @param size what to make smaller when memory runs out, for the message */
export function openSession(model: Uint8Array, size: string): GraphSession {
  const binding = tensorflowBinding();
  // The addon loads from folders only; once loaded, the file is not looked at again.
  const folder = mkdtempSync(join(tmpdir(), 'hourglass-graph-'));
  let id: number;
  try {
    writeFileSync(join(folder, 'saved_model.pb'), model);
    id = binding.loadSavedModel(folder, SERVE);
  } catch (error) {
    throw nativeFailure('tensorflow', 'refused a graph', error, size);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    run(feeds, fetches) {
      const inputs: number[] = [];
      let outputs: { id: number }[] = [];
      try {
        for (const { shape, dtype, values } of Object.values(feeds))
          inputs.push(binding.createTensor(shape, TF_TYPES[dtype], values));
        const names = (list: readonly string[]) => list.map((name) => `${name}:0`).join();
        outputs = binding.runSavedModel(id, inputs, names(Object.keys(feeds)), names(fetches));
        return outputs.map((output) => binding.tensorDataSync(output.id));
      } catch (error) {
        throw nativeFailure('tensorflow', 'failed', error, size);
      } finally {
        for (const tensor of inputs) binding.deleteTensor(tensor);
        for (const output of outputs) binding.deleteTensor(output.id);
      }
    },
    dispose: () => binding.deleteSavedModel(id),
  };
}
