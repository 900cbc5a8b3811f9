import type { ArtifactKind, ArtifactRef } from '../../artifact.ts';
import { canonicalJson } from '../../canonical-json.ts';
import { compile } from '../../compile.ts';
import { formatDiagnostics } from '../../diagnostic.ts';
import type { DriveEffects } from '../../drive.ts';
import { HourglassError } from '../../error.ts';
import type { ErrorCode } from '../../error.ts';
import type { CollectEntry } from '../../event.ts';
import type { Plan } from '../../plan.ts';
import { findStage } from '../../registry.ts';
import { murmur3 } from '../../seed.ts';
import type { RunState } from '../../state.ts';
import type { StageOutcome, StageResult, StageTask } from '../../task.ts';
import { registry } from './plugins.ts';

export function plan(text: string, readFile?: Parameters<typeof compile>[2]): Plan {
  const compiled = compile({ text, file: 'test.yaml' }, registry, readFile);
  if (!compiled.plan) throw new Error(formatDiagnostics(compiled.diagnostics));
  return compiled.plan;
}

export function refOf(kind: ArtifactKind, content: unknown): ArtifactRef {
  const text = canonicalJson(content);
  return {
    kind,
    digest: murmur3(text).toString(16).padStart(8, '0'),
    bytes: text.length,
    ...(kind === 'dataset' ? { rows: 10 } : {}),
  };
}

const occasion = { startedAt: '', finishedAt: '', cache: 'miss' as const };

export function fail(code: ErrorCode, message = 'it broke', retryable?: boolean): StageOutcome {
  const error = new HourglassError(code, message);
  return { ok: false, error: error.toJSON(), retryable: retryable ?? error.retryable, occasion };
}

/** A result made of the task alone, as a real stage's would be: same inputs, options and seed, same refs. */
export function resultOf(task: StageTask, metrics: Record<string, unknown> = {}): StageResult {
  const manifest = findStage(registry, task.uses)!;
  const content = { uses: task.uses, options: task.options, inputs: task.inputs, seed: task.seed };
  const result: StageResult = { outputs: {}, metrics: {} };
  for (const [name, output] of Object.entries(manifest.outputs)) {
    const ref = refOf(output.kind, { ...content, name });
    result.outputs[name] = output.application ? { ...ref, application: output.application } : ref;
    if (output.kind === 'metrics') result.metrics[name] = metrics;
  }
  return result;
}

export const good = (task: StageTask, metrics?: Record<string, unknown>): StageOutcome => ({
  ok: true,
  result: resultOf(task, metrics ?? METRICS[task.uses]),
  occasion,
});

const METRICS: Record<string, Record<string, unknown>> = {
  'imputation/train': { loss: 0.5 },
  'imputation/evaluate': { rmse: 0.05, baselines: { knn: { rmse: 0.06 }, mean: { rmse: 0.09 } } },
  'data/profile': { drift: 0.1, rows: 10 },
};

export interface Host extends DriveEffects {
  ran: string[];
  saved: RunState[];
  published: Record<string, ArtifactRef>;
  cache: Map<string, StageResult>;
}

/** A host in memory: a clock that jumps to the end of every sleep, a cache, parts by dataset digest. */
export function host(
  options: {
    run?: (task: StageTask, signal: AbortSignal) => StageOutcome | Promise<StageOutcome>;
    parts?: number | string[];
    cache?: Map<string, StageResult>;
  } = {},
): Host {
  let clock = 1_000_000;
  const keyOf = (task: StageTask): string =>
    canonicalJson({ uses: task.uses, options: task.options, inputs: task.inputs, seed: task.seed });
  const self: Host = {
    ran: [],
    saved: [],
    published: {},
    cache: options.cache ?? new Map(),
    async lookup(tasks) {
      return tasks.map((task) => {
        const result = self.cache.get(keyOf(task));
        return result
          ? { status: 'hit', key: keyOf(task), result }
          : { status: 'miss', key: keyOf(task), reason: 'first run' };
      });
    },
    async run(task, signal) {
      self.ran.push(task.path);
      const outcome = (await options.run?.(task, signal)) ?? good(task);
      if (outcome.ok && task.cache) self.cache.set(keyOf(task), outcome.result);
      return outcome;
    },
    async save(state) {
      self.saved.push(JSON.parse(JSON.stringify(state)) as RunState);
    },
    now: () => clock,
    async sleep(ms) {
      clock += ms;
    },
    async listParts(ref, offset, limit) {
      const { parts = 3 } = options;
      const keys = typeof parts === 'number' ? Array.from({ length: parts }, (_, i) => `p${i}`) : parts;
      return {
        total: keys.length,
        items: keys
          .slice(offset, offset + limit)
          .map((key) => ({ key, ref: refOf('dataset', { part: key, of: ref.digest }) })),
      };
    },
    async collect(kind, entries: CollectEntry[], missing) {
      return {
        ...refOf(
          kind,
          entries.map((e) => ({ key: e.key ?? null, digest: e.ref.digest })),
        ),
        ...(missing.length ? { missing } : {}),
      };
    },
    async publish(name, ref) {
      self.published[name] = ref;
      return { version: 1 };
    },
  };
  return self;
}
