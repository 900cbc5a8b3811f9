import { HourglassError, type Json, skipStages } from '@hourglass/core';
import { readRun } from '@hourglass/runtime';
import { dirname } from 'node:path';
import { answerHeld } from '../answer-held.ts';
import { asTyped } from '../as-typed.ts';
import { parseValue, splitAssignment } from '../bind-options.ts';
import { checkChanges } from '../check-changes.ts';
import type { CliContext } from '../context.ts';
import { executeRun } from '../execute-run.ts';
import { loadPlugins } from '../load-plugins.ts';
import { openStoreFor } from '../open-store.ts';
import type { ProgramState } from '../program.ts';

/** `train.epochs=50` of `--with`. */
export interface OptionChange {
  stage: string;
  option: string;
  value: Json;
}

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
  const changes = parseChanges(flags.with ?? []);
  const plugins = await loadPlugins(context, record.source ? dirname(record.source.file) : undefined);
  checkChanges(record.plan, plugins, changes);
  if (record.status === 'running') return answerHeld(context, store, record, changes, flags);
  const overrides: Record<string, Record<string, Json>> = structuredClone(record.state.overrides);
  for (const { stage, option, value } of changes) (overrides[stage] ??= {})[option] = value;
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

function parseChanges(given: readonly string[]): OptionChange[] {
  return given.map((text) => {
    const { name, value } = splitAssignment(text, '--with', 'stage.option=value');
    const dot = name.lastIndexOf('.');
    if (dot <= 0) throw new HourglassError('CALL_INVALID', `--with: expected stage.option=value, found "${text}".`);
    return { stage: name.slice(0, dot), option: name.slice(dot + 1), value: parseValue(value) };
  });
}
