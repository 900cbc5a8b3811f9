import { createRequire, Module } from 'node:module';

type Resolve = (request: string, ...rest: unknown[]) => string;

/** `@tensorflow/tfjs`, `@tensorflow/tfjs-core`, … but not the addon's own package. */
const TFJS = /^@tensorflow\/tfjs(?!-node)/;

/**
 * Requires a package from another folder so that its tfjs is ours: a second copy would load for a second, warn about
 * every kernel registered twice, and hold tensors of a class ours does not know.
 */
export function requireWithOneTfjs(requireThere: NodeJS.Require, packageName: string): unknown {
  const loader = Module as unknown as { _resolveFilename: Resolve };
  const original = loader._resolveFilename;
  const here = createRequire(import.meta.url);
  let resolvingHere = false;
  loader._resolveFilename = function (this: unknown, request, ...rest) {
    if (resolvingHere || !TFJS.test(request)) return original.call(this, request, ...rest);
    resolvingHere = true;
    try {
      return here.resolve(request);
    } finally {
      resolvingHere = false;
    }
  };
  try {
    return requireThere(packageName);
  } finally {
    loader._resolveFilename = original;
  }
}
