export const ANSWERS = ['value', 'distribution'] as const;
/** How numbers are answered: by one value, or by a distribution over their pieces whose mean is the answer. */
export type Answers = (typeof ANSWERS)[number];
