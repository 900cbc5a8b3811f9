/**
 * Ways in which normal rows are spoiled, so that a detector can be judged without labels. `swap` breaks how columns
 * depend on each other and leaves each column as it was; `shift` moves a whole row; `between` stands between two rows.
 */
export const PSEUDO_KINDS = ['swap', 'shift', 'between'] as const;
export type PseudoKind = (typeof PSEUDO_KINDS)[number];
