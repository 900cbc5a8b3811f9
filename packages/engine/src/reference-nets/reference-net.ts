import type { ForwardFunction, TrainingSpec } from '../types.ts';

/** A net that engines are timed with, as ordinary users would write it. */
export interface ReferenceNet {
  name: string;
  /** What it is made of, for people. */
  summary: string;
  /** A training on made data; equal arguments give equal numbers. */
  training(rows: number): TrainingSpec;
  forward: ForwardFunction;
  /** Rows of an epoch that takes a moment. */
  rows: number;
}
