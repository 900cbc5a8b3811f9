import type { Store } from '@hourglass/artifacts';
import { openStore, resolveStoreLocation } from '@hourglass/artifacts';
import type { CliContext } from './context.ts';

/** The store the call means: `--store`, `HOURGLASS_HOME`, `.hourglass` here. */
export function openStoreFor(context: CliContext, options: { store?: string }): Promise<Store> {
  return openStore(resolveStoreLocation({ flag: options.store, env: context.env, cwd: context.cwd }));
}
