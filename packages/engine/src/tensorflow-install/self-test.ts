import { createRequire } from 'node:module';

import { command } from './command.ts';

/** Plain JavaScript, since it runs in a bare Node: loads the addon beside our tfjs and checks an op and its gradient. */
const SCRIPT = `
const { createRequire, Module } = require('node:module');
const util = require('node:util');
util.isNullOrUndefined ??= (x) => x === null || x === undefined;
util.isArray ??= Array.isArray;
const [home, packageName, tfjs] = process.argv.slice(1);
const original = Module._resolveFilename;
const here = createRequire(tfjs);
let resolvingHere = false;
Module._resolveFilename = function (request, ...rest) {
  if (resolvingHere || !/^@tensorflow\\/tfjs(?!-node)/.test(request)) return original.call(this, request, ...rest);
  resolvingHere = true;
  try {
    return here.resolve(request);
  } finally {
    resolvingHere = false;
  }
};
const tf = require(tfjs);
createRequire(home + '/package.json')(packageName);
tf.setBackend('tensorflow').then(() => {
  const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const found = [...tf.grad((x) => tf.sum(tf.matMul(x, a)))(tf.ones([2, 2])).dataSync()].join();
  if (tf.getBackend() !== 'tensorflow' || found !== '3,7,3,7')
    throw new Error('expected the gradient 3,7,3,7 from tensorflow, found ' + found + ' from ' + tf.getBackend());
});
`;

/** Loads what was built in a process of its own: a library that does not fit the machine takes its process down. */
export async function selfTest(home: string, packageName: string, signal?: AbortSignal): Promise<void> {
  const tfjs = createRequire(import.meta.url).resolve('@tensorflow/tfjs');
  await command(process.execPath, ['-e', SCRIPT, home, packageName, tfjs], {
    signal,
    remedy: 'The library does not run on this machine: see the lines above, and use another engine.',
  });
}
