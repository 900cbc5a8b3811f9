import { randomBytes } from 'node:crypto';
import { openStore } from '../../open-store.ts';
import { putModel, record } from './samples.ts';

// Writes to a store under a limit of the kernel that the parent has set (a largest file size), or as a user who may not
// write there, and prints what each write came to.

const [location, user] = process.argv.slice(2) as [string, string?];
if (user !== undefined && process.getuid?.() === 0) {
  process.setgid!(Number(user));
  process.setuid!(Number(user));
}
const store = await openStore(location);
const big = randomBytes(2 << 20);
async function* stream(): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < 20; i++) yield randomBytes(100_000);
}
const writes: Record<string, () => Promise<unknown>> = {
  blob: () => store.artifacts.putBlob(big),
  stream: () => store.artifacts.putBlob(stream()),
  checkpoint: () => store.checkpoint('a'.repeat(64), 1).save({ arrays: { w: new Float32Array(1 << 20) }, meta: {} }),
  small: () => putModel(store, 'there is room for this'),
  temp: () => store.artifacts.tempPath(),
  record: () => store.cache.put(record({ seed: 9 })),
  name: async () => {
    const ref = await store.artifacts.put({ kind: 'metrics', parts: [], meta: {} });
    await store.names.publish('y', ref, { run: 'r' });
  },
};
const found: Record<string, string> = {};
for (const [name, write] of Object.entries(writes))
  found[name] = await write().then(
    () => 'written',
    (error: { code: string; message: string }) => `${error.code} ${error.message}`,
  );
const digest = process.env.READ;
if (digest) found.read = await store.artifacts.readBlob(digest).then(String, String);
console.log(JSON.stringify(found));
