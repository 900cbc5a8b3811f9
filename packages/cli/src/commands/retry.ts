import { HourglassError, type Json, skipStages } from '@hourglass/core';
import { readRun } from '@hourglass/runtime';
import { dirname } from 'node:path';
import { asTyped } from '../as-typed.ts';
import { parseValue, splitAssignment } from '../bind-options.ts';
import type { CliContext } from '../context.ts';
import { executeRun } from '../execute-run.ts';
import { loadPlugins } from '../load-plugins.ts';
import { openStoreFor } from '../open-store.ts';
import type { ProgramState } from '../program.ts';

export interface RetryFlags {
  with?: string[];
  skip?: string[];
  engine?: string;
  maxParallel?: number;
  store?: string;
  plain?: boolean;
  json?: boolean;
}

/** `hourglass retry RUN` */
export async function retry(context: CliContext, state: ProgramState, run: string, flags: RetryFlags): Promise<void> {
  const store = await openStoreFor(context, flags);
  const record = await readRun(store, run);
  if (record.status === 'running')
    throw new HourglassError(
      'RUN_STATE',
      `Run ${record.id} is still running. Stop it first (Ctrl-C where it runs), or wait for its end.`,
    );
  const plugins = await loadPlugins(context, record.source ? dirname(record.source.file) : undefined);
  const overrides: Record<string, Record<string, Json>> = structuredClone(record.state.overrides);
  for (const text of flags.with ?? []) {
    const { name, value } = splitAssignment(text, '--with', 'stage.option=value');
    const dot = name.lastIndexOf('.');
    if (dot <= 0) throw new HourglassError('CALL_INVALID', `--with: expected stage.option=value, found "${text}".`);
    (overrides[name.slice(0, dot)] ??= {})[name.slice(dot + 1)] = parseValue(value);
  }
  const plan = skipStages(record.plan, flags.skip ?? []);
  const { only, seed, params } = record.state;
  const { exitCode } = await executeRun(context, {
    plan,
    plugins,
    store,
    file: record.source?.file ?? record.baseDir,
    text: record.source?.text ?? '',
    baseDir: record.baseDir,
    outDir: record.outDir,
    binding: {
      params,
      seed,
      only,
      engine: flags.engine ?? record.engine.asked,
      scheduledAt: record.state.run.scheduledAt,
    },
    overrides,
    maxParallel: flags.maxParallel,
    plain: flags.plain,
    json: flags.json,
    again: asTyped(state.argv),
  });
  state.exitCode = exitCode;
}
