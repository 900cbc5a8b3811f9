import { canonicalJson } from '@hourglass/core';
import type { CacheKeyParts } from '@hourglass/core';
import { hashBytes } from './hash-file.ts';

/** sha256 over everything a stage's outputs depend on. */
export function cacheKey(parts: CacheKeyParts): string {
  return hashBytes(canonicalJson(parts));
}
