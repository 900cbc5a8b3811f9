import { execFileSync } from 'node:child_process';

import { HourglassError } from '@hourglass/core';
import { describe, expect, it } from 'vitest';

import { engineIdentity, engineStatuses, resolveEngine } from '../resolve.ts';
import type { EngineName } from '../types.ts';

describe('resolveEngine', () => {
  it('gives the engine asked for, and says so', async () => {
    const engine = await resolveEngine('wasm');
    expect(engine).toMatchObject({ name: 'wasm', reason: 'wasm was asked for' });
  });

  it('chooses the best one present with auto, and says why the better ones were passed over', async () => {
    const statuses = engineStatuses();
    const best = statuses.find((status) => status.available)!;
    const engine = await resolveEngine('auto');
    expect(engine.name).toBe(best.name);
    expect(engine.reason).toContain(`auto chose ${best.name}`);
    for (const status of statuses.slice(0, statuses.indexOf(best))) expect(engine.reason).toContain(status.reason);
  });

  it('names reason and remedy of an engine that is not there', async () => {
    for (const { name, reason, remedy } of engineStatuses().filter((status) => !status.available)) {
      const error = await resolveEngine(name).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(HourglassError);
      expect(error).toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
      expect((error as Error).message).toContain(`Engine ${name} is not available: ${reason}. ${remedy}`);
    }
  });

  it('offers the nearest name for one it does not know', async () => {
    await expect(resolveEngine('tensorflw' as EngineName)).rejects.toThrow(
      /found "tensorflw"\. Did you mean tensorflow\?/,
    );
  });

  it('tells the identity of an engine without loading tensors, equal to that of the engine', async () => {
    for (const { name } of engineStatuses().filter((status) => status.available)) {
      const { class: engineClass, libraries } = await resolveEngine(name);
      expect(await engineIdentity(name)).toEqual({ name, class: engineClass, libraries });
    }
    const script = `
      import { engineIdentity } from '@hourglass/engine';
      await engineIdentity('auto');
      const loaded = Object.keys((await import('node:module')).default._cache ?? {});
      console.log(JSON.stringify(loaded.filter((file) => /tfjs|onnxruntime/.test(file))));`;
    const out = execFileSync(
      process.execPath,
      ['--import', 'tsx', '--conditions=@hourglass/source', '--input-type=module', '-e', script],
      { cwd: import.meta.dirname, encoding: 'utf8' },
    );
    expect(JSON.parse(out)).toEqual([]);
  });
});
