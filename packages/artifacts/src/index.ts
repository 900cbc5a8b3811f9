export { cacheKey } from './cache-key.ts';
export { explainMiss } from './explain-miss.ts';
export { hashBytes, hashFile } from './hash-file.ts';
export { resolveStoreLocation } from './location.ts';
export { openStore, type OpenOptions } from './open-store.ts';
export { listSourceFiles, type SourceFiles } from './source-files.ts';
export * from './types.ts';
