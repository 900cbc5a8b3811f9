import type { Comparison } from './comparisons.ts';
import type { Combination } from './combinations.ts';
import type { UniqueColumn } from './unique-columns.ts';

/** What holds in every row drawn. JSON in the model. */
export interface Rules {
  comparisons: Comparison[];
  combinations: Combination[];
  unique: UniqueColumn[];
}
