import { HourglassError, type Json } from '@hourglass/core';
import { parseValue, splitAssignment } from './bind-options.ts';

/** `train.epochs=50` of `--with`. */
export interface OptionChange {
  stage: string;
  option: string;
  value: Json;
}

/** @throws CALL_INVALID */
export function parseChanges(given: readonly string[]): OptionChange[] {
  return given.map((text) => {
    const { name, value } = splitAssignment(text, '--with', 'stage.option=value');
    const dot = name.lastIndexOf('.');
    if (dot <= 0) throw new HourglassError('CALL_INVALID', `--with: expected stage.option=value, found "${text}".`);
    return { stage: name.slice(0, dot), option: name.slice(dot + 1), value: parseValue(value) };
  });
}

/** Overrides of a run with changes on top. */
export function withChanges(
  overrides: Record<string, Record<string, Json>>,
  changes: readonly OptionChange[],
): Record<string, Record<string, Json>> {
  const all = structuredClone(overrides);
  for (const { stage, option, value } of changes) (all[stage] ??= {})[option] = value;
  return all;
}
