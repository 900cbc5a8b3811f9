import { expect, test } from 'vitest';
import { explainMiss } from '../explain-miss.ts';
import { parts } from './support/samples.ts';

test.each([
  ['option epochs: 200 → 300', { options: { epochs: 300, latentDim: 16 } }],
  ['option bounds: unset → [0,1]', { options: { epochs: 200, latentDim: 16, bounds: [0, 1] } }],
  ['option epochs: 200 → unset', { options: { latentDim: 16 } }],
  ['input data changed', { inputs: { data: 'b'.repeat(64) } }],
  ['input extra added', { inputs: { data: 'a'.repeat(64), extra: 'c' } }],
  ['source ../data/x.parquet added', { sources: { '../data/x.parquet': 'd' } }],
  ['seed 7 → 8', { seed: 8 }],
  ['engine wasm-simd → cpu', { engine: 'cpu' }],
  ['tfjs 4.22.0 → 5.0.0', { libraries: { tfjs: '5.0.0' } }],
  ['code of the stage changed', { version: '2' }],
  ['stage imputation/train → denoising/train', { stage: 'denoising/train', version: '2' }],
  ['option epochs: 200 → 300; seed 7 → 8', { options: { epochs: 300, latentDim: 16 }, seed: 8 }],
  ['result no longer in the store', {}],
])('says "%s"', (line, change) => {
  expect(explainMiss(parts(change), parts())).toBe(line);
});

test('says "first run" when nothing was used before', () => {
  expect(explainMiss(parts())).toBe('first run');
});

test('says which source changed', () => {
  const before = parts({ sources: { 'data/x.parquet': 'a' } });
  expect(explainMiss(parts({ sources: { 'data/x.parquet': 'b' } }), before)).toBe('source data/x.parquet changed');
  // The file may be there still: this stage reads another.
  expect(explainMiss(parts({ sources: {} }), before)).toBe('source data/x.parquet no longer read');
});

test('stays one bounded line however much changed', () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`option${i}`, 'x\n'.repeat(1000)]));
  const line = explainMiss(parts({ options: many }), parts());
  expect(line.length).toBeLessThan(300);
  expect(line).not.toContain('\n');
  expect(line).toMatch(/; and \d+ more$/);
});
