import { parseArgs } from 'node:util';
import { didYouMean, HourglassError } from '@hourglass/core';
import type { Benchmark } from './benchmark.ts';
import { describeMachine } from './machine.ts';
import { formatTable } from './table.ts';

// Loaded when asked for: each brings native modules of its own.
const BENCHMARKS: Record<string, () => Promise<Benchmark>> = {
  imputation: async () => import('./imputation.ts'),
  anomaly: async () => import('./anomaly.ts'),
  overhead: async () => import('./overhead.ts'),
  fanout: async () => import('./fanout.ts'),
  ingest: async () => import('./ingest.ts'),
  large: async () => import('./large.ts'),
  reduction: async () => import('./reduction.ts'),
  features: async () => import('./features.ts'),
  matching: async () => import('./matching.ts'),
  neighbours: async () => import('./neighbours.ts'),
  engine: async () => import('./engine.ts'),
  synthetic: async () => import('./synthetic.ts'),
  denoising: async () => import('./denoising.ts'),
  colorization: async () => import('./colorization.ts'),
  temporal: async () => import('./temporal.ts'),
};

const USAGE = `Usage: npm run bench -- NAME… [--json] [--rows N] [--seeds N] [--tables A,B] [--peers A,B]
                                 [--dims N,M] [--budgets N,M] [--epochs N] [--nets A,B] [--engines A,B] [--threads N]

  NAME     one or more of: ${Object.keys(BENCHMARKS).join(', ')}
  --json   one JSON object on standard output, progress on standard error
  --rows   rows of made data (ingest, large), objects (matching), items (fanout), partitions (temporal), rows scored (anomaly),
           pictures learned from (denoising, colorization; 2000 is a matter of minutes)
  --seeds  how many masks (imputation), splits (anomaly), repetitions (overhead, temporal)
  --tables only these tables (imputation, anomaly, reduction, features, matching, denoising)
  --peers  only these peers (imputation: mean, knn, ice, missforest; anomaly: knn, lof, pca, iforest, pyod-knn, pyod-lof,
           pyod-pca, pyod-hbos, pyod-iforest, pyod-ecod, pyod-copod, knn+hbos; ingest: pyarrow-1, pyarrow, duckdb-1,
           duckdb; engine: torch, torch-fused, torch-compile, keras, sklearn; features: forest; matching: hnswlib;
           denoising: nlm, tv, wavelet, bm3d)
  --dims   only trainings of these sizes (reduction)
  --budgets  only these numbers of labels (features)
  --epochs instead of the benchmark's own (reduction, features, matching)
  --nets, --engines  only these (engine; neighbours: engines)
  --threads  most threads to try beside one (engine)`;

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      rows: { type: 'string' },
      seeds: { type: 'string' },
      tables: { type: 'string' },
      peers: { type: 'string' },
      nets: { type: 'string' },
      engines: { type: 'string' },
      threads: { type: 'string' },
      dims: { type: 'string' },
      budgets: { type: 'string' },
      epochs: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || positionals.length === 0) {
    console.log(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  for (const name of positionals)
    if (!BENCHMARKS[name]) {
      const near = didYouMean(name, Object.keys(BENCHMARKS));
      throw new HourglassError(
        'CALL_INVALID',
        `no benchmark "${name}"${near ? `; did you mean "${near}"?` : ''}\n\n${USAGE}`,
      );
    }
  const machine = describeMachine(new Date());
  const options = {
    rows: count('--rows', values.rows),
    seeds: count('--seeds', values.seeds),
    tables: values.tables?.split(','),
    peers: values.peers?.split(','),
    nets: values.nets?.split(','),
    engines: values.engines?.split(','),
    threads: count('--threads', values.threads),
    dims: values.dims?.split(',').map((value) => count('--dims', value)!),
    budgets: values.budgets?.split(',').map((value) => count('--budgets', value)!),
    epochs: count('--epochs', values.epochs),
    log: (message: string) => console.error(message),
  };
  const results: Record<string, unknown> = {};
  for (const name of positionals) {
    const benchmark = await BENCHMARKS[name]!();
    const { rows, notes } = await benchmark.run(options);
    results[name] = { summary: benchmark.summary, rows, notes };
    if (!values.json)
      console.log(
        [`\n${name}: ${benchmark.summary}\n`, formatTable(rows), '', ...notes.map((note) => `- ${note}`)].join('\n'),
      );
  }
  if (values.json) console.log(JSON.stringify({ machine, results }, null, 2));
  else
    console.log(
      `\n${machine.cpu}, ${machine.cores} cores, ${machine.memory}; ${machine.system}; Node ${machine.node}; Hourglass ${machine.hourglass}; ${machine.date}`,
    );
}

function count(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new HourglassError('CALL_INVALID', `${option}: expected a whole number above 0, found "${value}"`);
  return number;
}

main().catch((error: unknown) => {
  if (!(error instanceof HourglassError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = error.code === 'CALL_INVALID' ? 2 : 1;
});
