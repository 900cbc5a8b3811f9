import type { DataArray } from '../types.ts';
import type { GraphWriter } from './writer.ts';

/** A tensor that stays with TensorFlow between calls. */
export interface Variable {
  /** Node of its handle. */
  handle: string;
  dtype: DataArray['dtype'];
  /** −1 for sizes that are not known. */
  shape: readonly number[];
}

export function variable(
  w: GraphWriter,
  name: string,
  shape: readonly number[],
  dtype: DataArray['dtype'] = 'float32',
): Variable {
  const handle = w.node('VarHandleOp', [], { dtype, shape: { shape }, shared_name: { text: name } }, name);
  return { handle, dtype, shape };
}

/**
 * Writes the node `NAME/done`, which sets variables to what is fed to `NAME/0`, `NAME/1`, …; nodes with several results
 * cannot be run by themselves, so there is a number to ask for.
 */
export function assignEntry(w: GraphWriter, name: string, variables: readonly Variable[]): void {
  const assigned = variables.map(({ handle, dtype, shape }, i) => {
    const value = w.node('Placeholder', [], { dtype, shape: { shape } }, `${name}/${i}`);
    return w.node('AssignVariableOp', [handle, value], { dtype });
  });
  done(w, `${name}/done`, assigned);
}

/** A number that can be asked for to make `after` happen. */
export function done(w: GraphWriter, name: string, after: readonly string[]): void {
  w.node('Identity', [w.scalar(0, 'int32'), ...after.map((node) => `^${node}`)], { T: 'int32' }, name);
}

/** The present value of a variable, read after the nodes named. */
export const read = (
  w: GraphWriter,
  { handle, dtype }: Variable,
  after: readonly string[] = [],
  name?: string,
): string => w.node('ReadVariableOp', [handle, ...after.map((node) => `^${node}`)], { dtype }, name);
