import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { withConnection } from '../duckdb.ts';
import { openStaging } from '../staging.ts';

it('gives the memory of rows back once they are in a file, however many follow', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hourglass-staging-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const columns = Array.from({ length: 8 }, (_, j) => ({ name: `c${j}`, physical: 'DOUBLE' }));
  await withConnection(async (connection) => {
    const held = async (): Promise<number> =>
      Number(
        (await connection.rows<{ bytes: string }>('SELECT sum(memory_usage_bytes) AS bytes FROM duckdb_memory()'))[0]!
          .bytes,
      );
    let file = 0;
    const staging = await openStaging(connection, 'rows', columns, async () => join(folder, `${file++}.parquet`));
    // Numbers that do not compress: 16 MiB a file.
    const fill: Parameters<typeof staging.append>[1] = (chunk, from, n) => {
      for (let j = 0; j < columns.length; j++) {
        const { items } = chunk.getColumnVector(j) as unknown as { items: Float64Array };
        for (let i = 0; i < n; i++) items[i] = Math.sin((from + i) * (j + 1));
      }
    };
    const before = await held();
    for (let k = 0; k < 4; k++) await staging.append(262_144, fill);
    await staging.spill();
    expect(file).toBe(4);
    expect(await held()).toBeLessThan(before + 8 * 2 ** 20);
    const { relation, rows } = await staging.finish();
    expect(rows).toBe(4 * 262_144);
    const [found] = await connection.rows<{ n: string; sum: number }>(
      `SELECT count(*) AS n, sum(c1) AS sum FROM ${relation}`,
    );
    expect(Number(found!.n)).toBe(rows);
  });
});
