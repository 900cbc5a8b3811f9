/** `null` where a number could not be kept as one. */
export type MetricNumbers = Record<string, number | null>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Plain numbers of a metrics value, in their order. NaN and infinities may have become null or text on the way. */
export function scalarsOf(value: unknown): MetricNumbers {
  if (!isRecord(value)) return {};
  const found: MetricNumbers = {};
  for (const [name, entry] of Object.entries(value)) {
    if (typeof entry === 'number') found[name] = entry;
    else if (entry === 'NaN' || entry === 'Infinity' || entry === '-Infinity') found[name] = Number(entry);
  }
  return found;
}

/**
 * Numbers by key of a value that is records of numbers, as a forEach collects them: `{ north: { rmse }, south: { rmse } }`.
 * Empty for a value that has numbers of its own.
 */
export function numbersByKey(value: unknown): Record<string, MetricNumbers> {
  if (!isRecord(value) || Object.keys(scalarsOf(value)).length > 0) return {};
  const entries = Object.entries(value).map(([key, entry]) => [key, scalarsOf(entry)] as const);
  return Object.fromEntries(entries.filter(([, numbers]) => Object.keys(numbers).length > 0));
}

/** Baselines of a metrics value by name: `{ baselines: { knn: { rmse } } }`. */
export function baselinesOf(value: unknown): Record<string, MetricNumbers> {
  const baselines = isRecord(value) ? value.baselines : undefined;
  if (!isRecord(baselines)) return {};
  const entries = Object.entries(baselines).map(([name, entry]) => [name, scalarsOf(entry)] as const);
  return Object.fromEntries(entries.filter(([, numbers]) => Object.keys(numbers).length > 0));
}

/** In which direction a metric is better, where its name says so. */
export function better(name: string): 'low' | 'high' | undefined {
  if (/(^|[a-z])(rmse|mae|mse|nrmse|loss|error|distance|divergence)$/i.test(name)) return 'low';
  if (/^(r2|accuracy|auroc|auprc|psnr|ssim|f1|precision|correlation|recall.*|.*accuracy|explained.*)$/i.test(name))
    return 'high';
  return undefined;
}
