import type { Table } from '@hourglass/dataset';

import { syntheticTable } from './synthetic-table.ts';
import { openWorkbench, type LearnerUnderTest, type Workbench } from './learner.ts';

/** One behaviour that every learner on tables has. Throws when it does not hold. */
export interface Check {
  title: string;
  run(bench: Workbench): Promise<void>;
}

/** Runs one check on a store of its own. */
export async function runCheck(check: Check, learner: LearnerUnderTest): Promise<void> {
  const bench = await openWorkbench(learner);
  try {
    await check.run(bench);
  } finally {
    await bench.dispose();
  }
}

export const tableFor = (bench: Workbench, options: Parameters<typeof syntheticTable>[0] = {}): Table =>
  syntheticTable({ missing: bench.learner.missing ?? 0.1, ...options });

export class CheckFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CheckFailed';
  }
}

export function expectThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new CheckFailed(otherwise);
}

/** The error a promise ends with; a promise that succeeds fails the check. */
export async function errorOf(work: Promise<unknown>, expected: string): Promise<Error & { code?: string }> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new CheckFailed(`expected ${expected}, found success`);
}

/** Both tables hold the same values in the columns of `left`, up to the tolerance. */
export function expectSameRows(left: Table, right: Table, tolerance: number, what: string): void {
  expectThat(left.rows === right.rows, `${what}: expected ${left.rows} rows, found ${right.rows}`);
  for (const [name, a] of Object.entries(left.columns)) {
    const b = right.columns[name];
    expectThat(b !== undefined && b.kind === a.kind, `${what}: column ${name} is missing or of another kind`);
    for (let i = 0; i < left.rows; i++) {
      const x = cell(a, i);
      const y = cell(b, i);
      const same =
        typeof x === 'number' && typeof y === 'number'
          ? Object.is(x, y) || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x))
          : x === y;
      expectThat(same, `${what}: column ${name}, row ${i}: expected ${x}, found ${y}`);
    }
  }
}

const cell = (data: Table['columns'][string], i: number) =>
  data.kind === 'numeric' ? data.values[i]! : data.codes[i]! < 0 ? null : data.categories[data.codes[i]!]!;

/** Every number of a table is finite. */
export function expectFinite(table: Table, what: string): void {
  for (const [name, data] of Object.entries(table.columns))
    if (data.kind === 'numeric') {
      const bad = data.values.findIndex((value) => !Number.isFinite(value) && !Number.isNaN(value));
      expectThat(bad < 0, `${what}: column ${name}, row ${bad} is ${data.values[bad]}`);
    }
}
