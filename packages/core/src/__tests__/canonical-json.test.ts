import { expect, test } from 'vitest';
import { canonicalJson } from '../canonical-json.ts';

test('equal values give equal text whatever the order of keys', () => {
  expect(canonicalJson({ b: 1, a: [1, { d: null, c: 'ü' }] })).toBe('{"a":[1,{"c":"ü","d":null}],"b":1}');
  expect(canonicalJson({ a: [1, { c: 'ü', d: null }], b: 1 })).toBe('{"a":[1,{"c":"ü","d":null}],"b":1}');
});

test('undefined fields are left out', () => {
  expect(canonicalJson({ a: undefined, b: 2 })).toBe('{"b":2}');
});

test('it parses back to the same value', () => {
  const value = { 'key "x"': [0.1, -3e-7, true, 'a\nb'], n: { __proto: [] } };
  expect(JSON.parse(canonicalJson(value))).toEqual(value);
});

test.each([
  ['NaN', { x: { y: [1, NaN] } }, '$.x.y[1]'],
  ['Infinity', { x: Infinity }, '$.x'],
  ['Date', { at: new Date(0) }, '$.at'],
  ['bigint', [1n], '$[0]'],
  ['undefined', [undefined], '$[0]'],
])('refuses %s and says where', (found, value, path) => {
  expect(() => canonicalJson(value)).toThrow(`${path} cannot be written`);
  expect(() => canonicalJson(value)).toThrow(found);
});
