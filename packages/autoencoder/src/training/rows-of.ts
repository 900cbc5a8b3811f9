import type { DataArray } from '@hourglass/engine';

/** Rows that arrays of one table have. */
export const rowsOf = (data: Record<string, DataArray>): number => Object.values(data)[0]?.shape[0] ?? 0;
