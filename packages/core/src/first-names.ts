/** The first of many names, and of how many: `a, b, … (12)`; all of them where they are few. */
export const firstNames = (names: readonly string[], most: number): string =>
  names.slice(0, most).join(', ') + (names.length > most ? `, … (${names.length})` : '');
