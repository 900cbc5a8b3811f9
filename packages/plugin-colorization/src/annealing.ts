/** Temperature of the annealed mean where none is asked for, in files of a model too. Source: Zhang, Isola, Efros 2016. */
export const TEMPERATURE = 0.38;
