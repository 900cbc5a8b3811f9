import { startDevServer } from '../../server/dev-server.ts';

// A Temporal server until standard input ends, so that it never outlives the tests.
const server = await startDevServer({ env: process.env, headless: true, say: (message) => console.info(message) });
console.info(`address ${server.address}`);
process.stdin.on('end', () => void server.stop()).resume();
