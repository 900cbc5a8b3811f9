// The interpreter, changed so that a stage waits a moment before it runs: a timer where the history has an activity.
// By its path: under its name the bundler finds this file.
/* eslint-disable @nx/enforce-module-boundaries */
import { drive as original, type DriveEffects } from '../../../../packages/core/src/interpreter.ts';

export * from '../../../../packages/core/src/interpreter.ts';

export const drive: typeof original = (plan, state, effects, options) => {
  const run: DriveEffects['run'] = async (task, signal) => {
    await effects.sleep(1000, signal);
    return effects.run(task, signal);
  };
  return original(plan, state, { ...effects, run }, options);
};
