import type { ReportStage, RunReport } from '../../run-report.ts';

/** What somebody's data might hold: must come out as text, wherever it is shown. */
export const EVIL = `"><script>document.title='owned'</script><img src=x onerror="document.title='owned'">`;

export const stage = (path: string, change: Partial<ReportStage> = {}): ReportStage => ({
  path,
  depth: 0,
  uses: 'toy/work',
  status: 'done',
  attempt: 1,
  maxAttempts: 3,
  needs: [],
  outputs: { model: { kind: 'model', digest: 'ab'.repeat(32), bytes: 10 } },
  options: { epochs: 3 },
  inputs: {},
  took: 1234,
  reason: 'first run',
  failures: [],
  points: [],
  ...change,
});

/** A run with one of everything. */
export function sampleReport(change: Partial<RunReport> = {}): RunReport {
  return {
    run: {
      id: '20261124-045612-churn-k3f9',
      pipeline: 'churn',
      title: `乳腺癌 ${EVIL}`,
      status: 'failed',
      startedAt: '2026-11-24T04:56:12.000Z',
      took: 83_000,
      resumed: 1,
      params: { rate: 0.2, note: EVIL },
      names: {},
      seed: 7,
      engine: { asked: 'auto', name: 'wasm', class: 'wasm-simd' },
      baseDir: '/',
      outDir: '/',
    },
    stages: [
      stage('ingest', { options: { contract: { minRows: 5 } } }),
      stage('train', { needs: ['ingest'], gate: { expression: 'a < b', passed: true, compared: `a = 1 < ${EVIL}` } }),
      stage('each', {
        needs: ['train'],
        status: 'failed',
        fan: { what: 'items', total: 1000, done: 997, failed: 3, active: 0, cached: 0 },
        failures: [{ key: `north ${EVIL}`, error: { code: 'TRAINING_DIVERGED', message: EVIL } }],
        error: { code: 'STAGE_FAILED', message: `3 of 1000 items failed\n${EVIL}` },
      }),
      stage('after', { needs: ['each'], status: 'blocked', outputs: {}, note: EVIL }),
    ],
    metrics: [
      {
        path: 'ingest',
        output: 'profile',
        value: {
          rows: 9,
          columns: {
            [EVIL]: {
              type: 'float',
              missing: 3,
              distinct: 4,
              min: 0,
              max: 9,
              mean: 4,
              quantiles: { p05: 1, p25: 3, p50: 4, p75: 6, p95: 8 },
            },
            city: { type: 'string', missing: 0, min: EVIL, max: 'z' },
          },
          quarantined: { rows: 2, share: 0.1, rules: { [EVIL]: 2 } },
        },
      },
      {
        path: 'train',
        output: 'metrics',
        value: {
          rmse: 0.1,
          mae: 'NaN',
          columns: { x: { rmse: 0.2 } },
          baselines: { [EVIL]: { rmse: 0.3 }, mean: { rmse: 0.05 } },
        },
      },
    ],
    curves: [
      {
        path: 'train',
        members: [
          Array.from({ length: 20 }, (_, epoch) => ({
            epoch,
            loss: 1 / (epoch + 1),
            validationLoss: 1.1 / (epoch + 1) + (epoch > 12 ? 0.1 : 0),
            ...(epoch > 0 ? { learningRate: 0.01 * (1 - epoch / 20) } : {}),
          })),
        ],
      },
    ],
    figures: [
      {
        path: 'train',
        id: 'scatter',
        title: `Points ${EVIL}`,
        spec: {
          data: {
            values: [
              { x: 1, y: 2, name: EVIL },
              { x: 2, y: 3, name: 'b' },
            ],
          },
          mark: 'point',
          encoding: {
            x: { field: 'x', type: 'quantitative', title: EVIL },
            y: { field: 'y', type: 'quantitative' },
            color: { field: 'name', type: 'nominal' },
            href: { value: 'javascript:document.title="owned"' },
          },
        },
      },
      {
        path: 'train',
        id: 'broken',
        title: 'A broken one',
        spec: { mark: 'nonsense', encoding: { x: { field: 'x' } } },
      },
      {
        path: 'train',
        id: 'fetching',
        title: 'One that fetches',
        spec: { data: { url: 'https://example.com/x.csv' }, mark: 'bar', encoding: { x: { field: 'x' } } },
      },
      {
        path: 'train',
        id: 'image',
        title: 'An image',
        png: 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAYAAABytg0kAAAAFElEQVR4nGP8z8Dwn4GBgYEJRIAAFQYCAe6LiYUAAAAASUVORK5CYII=',
      },
    ],
    files: [{ uri: 'out.csv', path: '/tmp/out.csv', digest: 'cd'.repeat(32), bytes: 1200 }],
    published: [{ name: 'churn', version: 3, digest: 'ab'.repeat(32) }],
    warnings: [{ path: 'train', message: EVIL, at: '2026-11-24T04:56:12.000Z' }],
    source: { file: 'churn.yaml', text: `# ${EVIL}\nhourglass: v1\n` },
    ...change,
  };
}
