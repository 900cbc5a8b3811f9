import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

const folder = fileURLToPath(new URL('../../../../workflows/histories', import.meta.url));

export interface Recorded {
  /** Of the pipeline's file: `wdbc-imputation`. */
  name: string;
  history: { events: { eventType: string }[] };
  /** Of the file. */
  bytes: number;
}

/** Histories recorded with earlier builds, one a pipeline of the library. */
export function recordedHistories(): Recorded[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json.gz'))
    .map((file) => {
      const packed = readFileSync(join(folder, file));
      return {
        name: file.replace('.json.gz', ''),
        history: JSON.parse(gunzipSync(packed).toString()) as Recorded['history'],
        bytes: packed.length,
      };
    });
}

/** Keeps a history, with places and the name of this machine taken out of it. */
export function recordHistory(
  name: string,
  history: Parameters<typeof historyToJSON>[0],
  places: Record<string, string>,
): void {
  const clean = (text: string): string => {
    for (const [place, neutral] of Object.entries(places)) text = text.replaceAll(place, neutral);
    return text;
  };
  const visit = (value: unknown, key = ''): unknown => {
    if (Array.isArray(value)) return value.map((one) => visit(one));
    if (typeof value === 'string') {
      if (key === 'identity') return 'worker';
      return key === 'data'
        ? Buffer.from(clean(Buffer.from(value, 'base64').toString())).toString('base64')
        : clean(value);
    }
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, visit(one, field)]));
  };
  mkdirSync(folder, { recursive: true });
  const json = JSON.stringify(visit(JSON.parse(historyToJSON(history))));
  writeFileSync(join(folder, `${name}.json.gz`), gzipSync(json, { level: 9 }));
}
