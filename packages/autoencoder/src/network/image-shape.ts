/** Rows and columns of an image. */
export type ImageShape = readonly [height: number, width: number];
