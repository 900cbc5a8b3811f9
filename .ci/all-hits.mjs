// Reads the event lines of a run and fails unless every stage was a cache hit.
import { readFileSync } from 'node:fs';

const events = readFileSync(process.argv[2], 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line));
const stages = events.filter((event) => event.type === 'stage');
const missed = stages.filter((event) => event.status !== 'cached');
if (stages.length === 0 || missed.length > 0) {
  console.error(`expected every stage to be a hit, found: ${missed.map((e) => e.path).join(', ') || 'no stage'}`);
  process.exit(1);
}
console.log(`${stages.length} stages, all hits`);
