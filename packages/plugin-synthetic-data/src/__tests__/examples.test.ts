import { fileURLToPath } from 'node:url';
import { runExample } from '@hourglass/plugin-kit/testing';
import { expect, it } from 'vitest';

interface Metrics {
  quality: number;
  utility: { logistic: number; forest: number };
  nullGap: number;
  copies: number;
  baselines: { copula: { quality: number } };
  likelihood: { nats: number };
}
const pipeline = (name: string): string =>
  fileURLToPath(new URL(`../../../../workflows/pipelines/${name}.yaml`, import.meta.url));
const evaluated = async (name: string, params: Record<string, unknown>): Promise<Metrics> => {
  const { state } = await runExample(pipeline(name), { params });
  return (state.stages.evaluate!.metrics as unknown as { metrics: Metrics }).metrics;
};

it('churn-synthetic: drawn customers are alike and useful, and none is a copy', { timeout: 600_000 }, async () => {
  const metrics = await evaluated('churn-synthetic', {});
  expect(metrics.quality).toBeGreaterThan(0.95);
  expect(metrics.utility.logistic).toBeGreaterThan(0.8);
});

it('credit-synthetic: missing cells are reproduced', { timeout: 600_000 }, async () => {
  const metrics = await evaluated('credit-synthetic', {});
  expect(metrics.nullGap).toBeLessThan(0.03);
});

it('digits-synthetic: a reader of drawn digits reads real ones', { timeout: 600_000 }, async () => {
  const metrics = await evaluated('digits-synthetic', { epochs: 60 });
  expect(metrics.utility.forest).toBeGreaterThan(0.8);
  expect(metrics.quality).toBeGreaterThan(metrics.baselines.copula.quality);
});

it(
  'digits-pictures: drawn pictures teach as well, and digits never seen are likely',
  { timeout: 600_000 },
  async () => {
    const metrics = await evaluated('digits-pictures', { epochs: 60 });
    expect(metrics.utility.forest).toBeGreaterThan(0.8);
    expect(metrics.likelihood.nats).toBeLessThan(33);
  },
);

it(
  'weather-weeks: weeks are drawn, and the present is scored by what weeks were like',
  { timeout: 600_000 },
  async () => {
    const { state } = await runExample(pipeline('weather-weeks'), { params: { epochs: 60 } });
    const metrics = (id: string) =>
      (state.stages[id]!.metrics as unknown as { metrics: Record<string, number> }).metrics;
    expect(metrics('evaluate').quality).toBeGreaterThan(0.9);
    expect(metrics('score').flaggedShare).toBeGreaterThan(0);
    expect(metrics('score').flaggedShare).toBeLessThan(0.1);
  },
);
