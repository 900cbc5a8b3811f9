import type { ArtifactRef, CacheKeyParts } from '@hourglass/core';
import { cacheKey } from '../../cache-key.ts';
import type { CacheRecord, Store } from '../../types.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function parts(change: Partial<CacheKeyParts> = {}): CacheKeyParts {
  return {
    stage: 'imputation/train',
    version: '1',
    options: { epochs: 200, latentDim: 16 },
    inputs: { data: 'a'.repeat(64) },
    sources: {},
    seed: 7,
    engine: 'wasm-simd',
    libraries: { tfjs: '4.22.0' },
    ...change,
  };
}

export function record(change: Partial<CacheKeyParts>, outputs: Record<string, ArtifactRef> = {}): CacheRecord {
  const of = parts(change);
  return { key: cacheKey(of), parts: of, result: { outputs, metrics: {} } };
}

/** A model of one blob with this content. */
export async function putModel(store: Store, content: string): Promise<{ ref: ArtifactRef; blob: string }> {
  const blob = await store.artifacts.putBlob(bytes(content));
  const ref = await store.artifacts.put({ kind: 'model', parts: [{ key: 'weights', ...blob }], meta: { content } });
  return { ref, blob: blob.digest };
}
