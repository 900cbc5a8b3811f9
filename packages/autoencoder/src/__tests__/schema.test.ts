import type { Column } from '@hourglass/dataset';
import { describe, expect, it } from 'vitest';
import { fitTable } from '../columns/fit.ts';
import { checkSchema } from '../columns/schema.ts';
import { numbers, sourceOf } from './support/workbench.ts';

const fitted = async (columns: Record<string, Partial<Column>>) =>
  (
    await fitTable(
      sourceOf(Object.fromEntries(Object.keys(columns).map((name) => [name, numbers([1, 2, 3, 5])])), columns),
    )
  ).encoder;
const double = (name: string): Column => ({ name, type: 'float', physical: 'DOUBLE' });

describe('a table unlike the one a model learned', () => {
  it('with 200 columns renamed gives a message one can read: counts, some names, and what became what', async () => {
    const encoder = await fitted(Object.fromEntries(Array.from({ length: 200 }, (_, k) => [`sensor_${k}_mean`, {}])));
    const renamed = Array.from({ length: 200 }, (_, k) => double(`Sensor_${k}_mean`));
    let message = '';
    try {
      checkSchema(encoder, renamed);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/columns the model learned \(200\): missing: sensor_0_mean, .* and 188 more/);
    expect(message).toMatch(/not known to the model: Sensor_0_mean, .* and 188 more/);
    expect(message).toContain('renamed? sensor_0_mean → Sensor_0_mean (differs in case)');
    expect(message.length).toBeLessThan(2000);
  });

  it('names a column whose numbers no longer fit a double', async () => {
    const encoder = await fitted({ amount: {}, count: { type: 'integer', physical: 'INTEGER' } });
    expect(() =>
      checkSchema(encoder, [
        { name: 'amount', type: 'decimal', physical: 'DECIMAL(38,20)' },
        { name: 'count', type: 'bigint', physical: 'HUGEINT' },
      ]),
    ).toThrow(
      'changed type: amount (was float, is DECIMAL(38,20) with values beyond double precision), count (was integer, is HUGEINT with values beyond double precision)',
    );
  });

  it('is told that times without a zone are read as UTC, when those of training had one', async () => {
    const encoder = await fitted({ at: { type: 'timestamp', physical: 'TIMESTAMP WITH TIME ZONE' } });
    expect(checkSchema(encoder, [{ name: 'at', type: 'timestamp', physical: 'TIMESTAMP' }])).toEqual([
      'column "at" was TIMESTAMP WITH TIME ZONE in training and is TIMESTAMP now: times without a zone are read as UTC',
    ]);
    expect(checkSchema(encoder, [{ name: 'at', type: 'timestamp', physical: 'TIMESTAMP WITH TIME ZONE' }])).toEqual([]);
  });

  it('keeps unicode names and names that differ in case only apart', async () => {
    const encoder = await fitted({ 'größe °C': {}, Ärger: {}, ärger: {} });
    expect(checkSchema(encoder, [double('ärger'), double('größe °C'), double('Ärger')])).toEqual([]);
    expect(() => checkSchema(encoder, [double('ärger'), double('größe °C')])).toThrow(/missing: Ärger/);
  });
});
