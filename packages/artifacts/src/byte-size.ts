const UNIT: Record<string, number> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** `20GB`, `512 MiB`, `1.5G` as bytes; undefined when the text is not a size. */
export function parseByteSize(text: string): number | undefined {
  const [, amount, unit = '', binary] = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\s*$/i.exec(text) ?? [];
  if (amount === undefined) return undefined;
  const factor = UNIT[unit.toUpperCase()]!;
  return Math.round(Number(amount) * (binary ? 1024 ** Math.round(Math.log10(factor) / 3) : factor));
}
