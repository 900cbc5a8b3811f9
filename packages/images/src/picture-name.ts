/** The ending of a file that holds a picture. */
export const PICTURE_NAME = /\.(png|jpe?g|webp|tiff?|gif|avif|svg|bmp)$/i;
