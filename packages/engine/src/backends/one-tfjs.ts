import { createRequire, Module } from 'node:module';

type Resolve = (request: string, ...rest: unknown[]) => string;

/**
 * Requires a package from another folder so that its `@tensorflow/tfjs` is ours: a second copy of tfjs would load for a
 * second, warn about every kernel registered twice, and hold tensors of a class ours does not know.
 */
export function requireWithOneTfjs(requireThere: NodeJS.Require, packageName: string): unknown {
  const loader = Module as unknown as { _resolveFilename: Resolve };
  const original = loader._resolveFilename;
  const here = createRequire(import.meta.url);
  loader._resolveFilename = function (this: unknown, request, ...rest) {
    if (request === '@tensorflow/tfjs' || request.startsWith('@tensorflow/tfjs/')) return here.resolve(request);
    return original.call(this, request, ...rest);
  };
  try {
    return requireThere(packageName);
  } finally {
    loader._resolveFilename = original;
  }
}
