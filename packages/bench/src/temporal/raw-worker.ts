import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

// A worker as Temporal's own documentation has it, all settings at their defaults: what our stages are measured beside.
// With SLOTS, so many activities at once instead of a hundred.
//   tsx raw-worker.ts ADDRESS QUEUE [SLOTS]
const [address, taskQueue, slots] = process.argv.slice(2) as [string, string, string?];
Runtime.install({ logger: new DefaultLogger('ERROR') });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue,
  workflowsPath: fileURLToPath(new URL('./raw-workflows.ts', import.meta.url)),
  ...(slots === undefined ? {} : { maxConcurrentActivityTaskExecutions: Number(slots) }),
  activities: { nothing: (value: number) => Promise.resolve(value) },
});
console.log('worker polls');
await worker.run();
