/** What a benchmark is asked for on the command line. */
export interface BenchmarkOptions {
  /** Rows of made data, where a benchmark makes data. */
  rows?: number;
  /** How many seeds or masks. */
  seeds?: number;
  /** Only these tables, where a benchmark has several. */
  tables?: string[];
  /** Only these peers. */
  peers?: string[];
  /** Only these nets, and only these engines of ours. */
  nets?: string[];
  engines?: string[];
  /** Most threads, where a benchmark tries several. */
  threads?: number;
  /** Only trainings of these sizes of the latent, and only these numbers of labels. */
  dims?: number[];
  budgets?: number[];
  /** Epochs of a training, instead of the benchmark's own. */
  epochs?: number;
  /** Says what is going on, on the terminal. */
  log(message: string): void;
}

export interface BenchmarkResult {
  rows: Record<string, string | number>[];
  notes: string[];
}

/** A benchmark: a module of this folder exports one. */
export interface Benchmark {
  name: string;
  summary: string;
  run(options: BenchmarkOptions): Promise<BenchmarkResult>;
}
