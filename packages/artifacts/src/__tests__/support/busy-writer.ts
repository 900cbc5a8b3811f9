// A process that writes to the store it is given, the same records and blobs as its siblings and some of its own.
import { openStore } from '../../open-store.ts';
import { putModel, record } from './samples.ts';

const [location, who, rounds, size] = process.argv.slice(2) as [string, string, string, string];
const store = await openStore(location);
const winners: Record<string, string> = {};
for (let i = 0; i < Number(rounds); i++) {
  const shared = await putModel(store, `shared ${i} ${'x'.repeat(Number(size))}`);
  const own = await putModel(store, `${who} ${i}`);
  const kept = await store.cache.put(record({ seed: i }, { model: own.ref, shared: shared.ref }));
  winners[kept.key] = kept.result.outputs['model']!.digest;
  await store.names.publish('shared', own.ref, { run: `${who} ${i}` });
  const slot = store.checkpoint('d'.repeat(64), i, who);
  await slot.save({ arrays: { w: new Float32Array(10_000).fill(i) }, meta: { i } });
  process.stdout.write(`round ${i}\n`);
}
process.stdout.write(`${JSON.stringify(winners)}\n`);
