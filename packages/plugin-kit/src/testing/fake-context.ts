import type { ArtifactStore, Checkpoint } from '@hourglass/artifacts';
import { resolveEngine, type EngineName } from '@hourglass/engine';
import type { ItemContext, StageContext } from '@hourglass/runtime';

export interface FakeContextOptions {
  artifacts: ArtifactStore;
  /** @default 1 */
  seed?: number;
  /** @default 'cpu' */
  engine?: EngineName | 'auto';
  signal?: AbortSignal;
  /** Called at each sign of progress, with their number so far. */
  onProgress?: (count: number) => void;
  /** Called after a checkpoint was saved, with their number so far. */
  onCheckpoint?: (count: number) => void;
  /** What an earlier attempt left; filled by `save`. */
  slot?: { checkpoint?: Checkpoint };
  /** Folder of the plugin's stage modules: what `parallel` resolves modules against. */
  modules?: URL;
}

/** A context that keeps what a stage said, and runs `parallel` in this process, one item after another. */
export interface FakeContext extends StageContext {
  said: { progress: string[]; info: string[]; warnings: string[] };
}

export function fakeContext(options: FakeContextOptions): FakeContext {
  const { artifacts, seed = 1, engine = 'cpu', slot = {}, modules } = options;
  const said: FakeContext['said'] = { progress: [], info: [], warnings: [] };
  let progressed = 0;
  let saved = 0;
  const slots = new Map<number, { checkpoint?: Checkpoint }>();
  const make = (at: { checkpoint?: Checkpoint }): ItemContext => ({
    signal: options.signal ?? new AbortController().signal,
    seed,
    engine: () => resolveEngine(engine),
    artifacts,
    log: { info: (message) => void said.info.push(message), warn: (message) => void said.warnings.push(message) },
    progress(_fraction, message) {
      said.progress.push(message);
      options.onProgress?.(++progressed);
    },
    checkpoint: {
      load: async () => structuredClone(at.checkpoint),
      async save(checkpoint) {
        at.checkpoint = structuredClone(checkpoint);
        options.onCheckpoint?.(++saved);
      },
    },
    place: { baseDir: process.cwd(), outDir: process.cwd() },
  });
  return {
    ...make(slot),
    said,
    async parallel<T, R>(items: readonly T[], call: { module: string; export: string }): Promise<R[]> {
      if (!modules) throw new Error('fakeContext: `modules` is needed for a stage that calls ctx.parallel');
      const loaded = (await import(/* @vite-ignore */ new URL(call.module, modules).href)) as Record<
        string,
        (item: T, context: ItemContext) => Promise<R>
      >;
      const results: R[] = [];
      for (const [i, item] of items.entries()) {
        if (!slots.has(i)) slots.set(i, {});
        results.push(await loaded[call.export]!(structuredClone(item), make(slots.get(i)!)));
      }
      return results;
    },
  };
}
