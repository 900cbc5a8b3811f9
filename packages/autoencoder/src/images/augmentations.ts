export const AUGMENTATIONS = ['none', 'mirror', 'all'] as const;
/** mirror: left and right swapped, as photographs allow. all: flips and quarter turns, as texture allows. */
export type Augmentation = (typeof AUGMENTATIONS)[number];
