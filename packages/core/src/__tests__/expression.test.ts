import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkExpression } from '../expression/check.ts';
import { parseExpression } from '../expression/cel.ts';
import { judgeGate } from '../expression/gate.ts';
import { parseTemplate, resolveTemplates } from '../expression/template.ts';

const value = (text: string, context: Record<string, unknown> = {}): unknown => {
  const parsed = parseExpression(text);
  if (!('ast' in parsed)) throw new Error(parsed.message);
  return parsed.evaluate(context);
};

describe('expressions', () => {
  it('mix integers and doubles, and give integers out as numbers', () => {
    expect(value('2 * metrics.rmse', { metrics: { rmse: 0.25 } })).toBe(0.5);
    expect(value('metrics.rmse + 1 - 2 / metrics.rmse', { metrics: { rmse: 0.5 } })).toBe(-2.5);
    expect(value('params.epochs * 2', { params: { epochs: 10n } })).toBe(20);
    expect(value('params.epochs / 4', { params: { epochs: 10n } })).toBe(2);
    expect(value('[1, 2.5, params.n]', { params: { n: 3n } })).toEqual([1, 2.5, 3]);
    expect(value('{"a": 1}')).toEqual({ a: 1 });
    expect(value('max(1, 2.5) + min(2, 3) + abs(-1)')).toBe(5.5);
    expect(value('x == 2 && 2 == x && x != 3', { x: 2 })).toBe(true);
    expect(
      value('timestamp(run.scheduledAt).getFullYear()', { run: { scheduledAt: '2026-11-24T03:00:00.000Z' } }),
    ).toBe(2026);
  });

  it('work with values of other types the next time', () => {
    for (const x of [1, 'a', true, [1], { a: 1 }]) expect(value('x == x', { x })).toBe(true);
    expect(value('x + x', { x: 1 })).toBe(2);
    expect(value('x + x', { x: 'a' })).toBe('aa');
  });

  it('embed in text, and keep their type when they stand alone', () => {
    const evaluate = (text: string): unknown => value(text, { params: { rate: 0.5, name: 'x' } });
    expect(resolveTemplates('out/${{ params.name }}-${{ params.rate }}.parquet', evaluate)).toBe('out/x-0.5.parquet');
    expect(resolveTemplates('${{ params.rate }}', evaluate)).toBe(0.5);
    expect(resolveTemplates({ a: ['${{ params.rate }}', 1] }, evaluate)).toEqual({ a: [0.5, 1] });
    expect(resolveTemplates('plain', evaluate)).toBe('plain');
  });

  it('may hold braces and quotes of their own', () => {
    expect(parseTemplate('${{ {"a": {"b": 1}}.a.b }}').whole).toBe(true);
    expect(resolveTemplates('${{ {"a": {"b": 1}}.a.b }}', value)).toBe(1);
    expect(resolveTemplates('${{ "}}" + \'{\' }}!', value)).toBe('}}{!');
    expect(parseTemplate('a ${{ b').unclosed).toBe(2);
  });

  it('say what they read, `*` where a key is known only when they run', () => {
    const scope = {
      metrics: { t: 'map', of: { t: 'object', fields: { rmse: { t: 'double' } } } },
      params: { t: 'object', fields: { c: { t: 'string' } } },
    } as const;
    expect(
      checkExpression(
        'metrics.all(k, metrics[k].rmse < 1.0) && metrics["a"].rmse > 0.0 && metrics[params.c].rmse > 0.0',
        scope,
      ).reads,
    ).toEqual([
      ['metrics', '*keys'],
      ['metrics', '*', 'rmse'],
      ['metrics', 'a', 'rmse'],
      ['params', 'c'],
      ['metrics', '*', 'rmse'],
    ]);
  });

  it('find every mistake of an expression, not just the first', () => {
    const { errors } = checkExpression('params.a > 1.0 && params.b > 1.0', {
      params: { t: 'object', fields: { c: { t: 'double' } } },
    });
    expect(errors.map((e) => [e.start, e.found])).toEqual([
      [0, 'a'],
      [18, 'b'],
    ]);
  });
});

describe('gates', () => {
  const metrics = { rmse: 0.071, nan: NaN, none: null, baselines: { knn: { rmse: 0.066 } }, list: [1, NaN] };
  const judge = (text: string): ReturnType<typeof judgeGate> => judgeGate(text, { metrics });

  it('print both sides of the comparison as it is', () => {
    expect(judge('metrics.rmse <= metrics.baselines.knn.rmse')).toEqual({
      passed: false,
      explanation: 'metrics.rmse = 0.071 > metrics.baselines.knn.rmse = 0.066',
    });
    expect(judge('metrics.rmse < 0.1')).toEqual({ passed: true, explanation: 'metrics.rmse = 0.071 < 0.1' });
    expect(judge('(metrics.rmse + 0.1) < (2 * metrics.rmse) && metrics.rmse != 1.0').explanation).toBe(
      'metrics.rmse + 0.1 = 0.171 >= 2 * metrics.rmse = 0.142; metrics.rmse = 0.071 != 1.0',
    );
  });

  it('print a part that is true or false by itself beside the comparisons', () => {
    const within = { rate: 0.007, within: false };
    const found = judgeGate('metrics.within && metrics.rate < 0.05', { metrics: within });
    expect(found).toEqual({ passed: false, explanation: 'metrics.within = false; metrics.rate = 0.007 < 0.05' });
    expect(judge('metrics.baselines.exists(x, x == "ice") || metrics.rmse < 1.0').explanation).toContain(
      '= false; metrics.rmse = 0.071 < 1.0',
    );
  });

  it.each([
    'metrics.nan < 1.0',
    '!(metrics.nan > 1.0)',
    'metrics.nan != 1.0',
    'metrics.rmse < 1.0 || metrics.nan < 1.0',
    'metrics.list.all(x, !(x > 5.0))',
  ])('fail on a NaN whatever the comparison: %s', (text) => {
    expect(judge(text).passed).toBe(false);
    expect(judge(text).explanation).toContain('is NaN');
  });

  it('fail on a NaN that arises inside', () => {
    expect(judge('!(0.0 * metrics.rmse / 0.0 > 1.0)').passed).toBe(false);
  });

  it('fail when a value is absent, by name', () => {
    expect(judge('metrics.gone < 1.0')).toMatchObject({ passed: false });
    expect(judge('metrics.gone < 1.0').explanation).toContain('metrics.gone has no value');
    expect(judge('metrics.none < 1.0').passed).toBe(false);
  });

  it('never pass with a NaN, whatever is asked', () => {
    const atom = fc.constantFrom(
      'metrics.nan < 1.0',
      'metrics.nan >= 1.0',
      'metrics.nan == metrics.nan',
      'metrics.rmse < 1.0',
    );
    const gate = fc.letrec<{ g: string }>((tie) => ({
      g: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc.tuple(tie('g'), tie('g')).map(([a, b]) => `(${a} && ${b})`),
        fc.tuple(tie('g'), tie('g')).map(([a, b]) => `(${a} || ${b})`),
        tie('g').map((a) => `!(${a})`),
      ),
    })).g;
    fc.assert(
      fc.property(gate, (text) => {
        if (text.includes('nan')) expect(judge(text).passed).toBe(false);
      }),
    );
  });
});
