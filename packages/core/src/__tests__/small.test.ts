import { describe, expect, it } from 'vitest';
import { didYouMean, nearNames } from '../did-you-mean.ts';
import { formatDuration, parseDuration } from '../duration.ts';
import { encodeKey, parsePath, stagePathOf } from '../reduce/path.ts';
import { createRegistry } from '../registry.ts';
import { deriveSeed, murmur3 } from '../seed.ts';
import { artifact } from '../artifact.ts';
import { definePlugin, defineStage } from '../stage.ts';
import { z } from 'zod';

describe('didYouMean', () => {
  it('finds slips of the finger, swapped letters, other case and beginnings', () => {
    const names = ['latentDim', 'epochs', 'maskRate', 'rate'];
    expect(didYouMean('latentdim', names)).toBe('latentDim');
    expect(didYouMean('epcohs', names)).toBe('epochs');
    expect(didYouMean('mask', names)).toBe('maskRate');
    expect(didYouMean('bananas', names)).toBeUndefined();
    expect(nearNames('rat', names)).toEqual(['rate']);
  });
});

describe('durations', () => {
  it('are read in full or not at all', () => {
    expect(parseDuration('4h')).toBe(14_400_000);
    expect(parseDuration('1h30m')).toBe(5_400_000);
    expect(parseDuration('1.5s')).toBe(1500);
    for (const text of ['', '4', 'h', '4 h', '4hours', '-4h']) expect(parseDuration(text)).toBeUndefined();
  });

  it('are written for people', () => {
    expect([40, 1234, 12_345, 125_000, 5_400_000, 200_000_000].map(formatDuration)).toEqual([
      '40 ms',
      '1.23 s',
      '12.3 s',
      '2m 5s',
      '1h 30m',
      '2d 7h',
    ]);
  });
});

describe('seeds', () => {
  it('are murmur3, as its reference vectors say', () => {
    expect(murmur3('')).toBe(0);
    expect(murmur3('', 1)).toBe(0x514e28b7);
    expect(murmur3('hello')).toBe(0x248bfa47);
    expect(murmur3('hello, world')).toBe(0x149bbb7f);
    expect(murmur3('The quick brown fox jumps over the lazy dog')).toBe(0x2e4ff723);
  });

  it('differ by run, stage and partition, and hang on nothing else', () => {
    const seeds = [
      deriveSeed(7, 'train'),
      deriveSeed(8, 'train'),
      deriveSeed(7, 'test'),
      deriveSeed(7, 'train', 'north'),
      deriveSeed(7, 'train', 'süd'),
    ];
    expect(new Set(seeds).size).toBe(5);
    expect(deriveSeed(7, 'train')).toBe(seeds[0]);
    for (const seed of seeds) expect(seed).toBe(seed >>> 0);
  });
});

describe('paths', () => {
  it('go there and back, whatever the key', () => {
    for (const key of ['north', 'a.b', 'x]y', '100%', 'ü=1,[2]', ''])
      expect(parsePath(`regions[${encodeKey(key)}].train`)).toEqual([{ id: 'regions', key }, { id: 'train' }]);
    expect(parsePath('a..b')).toBeUndefined();
    expect(parsePath('')).toBeUndefined();
    expect(stagePathOf('regions[a.b].train[x]')).toBe('regions.train');
  });
});

describe('registry', () => {
  const stage = (id: string, more = {}) =>
    defineStage({
      id,
      version: 1,
      summary: '',
      inputs: {},
      outputs: {},
      options: z.object({ uri: z.string() }),
      ...more,
    });

  it('refuses plugins that contradict themselves', () => {
    const plugin = (stages: Parameters<typeof definePlugin>[0]['stages']) =>
      definePlugin({ name: 'p', summary: '', stages });
    expect(() => createRegistry([plugin({}), plugin({})])).toThrow('two plugins have this name');
    expect(() => createRegistry([plugin({ a: stage('p/b') })])).toThrow('expected `p/a`');
    expect(() => createRegistry([plugin({ a: stage('p/a', { inputs: { uri: artifact.dataset() } }) })])).toThrow(
      'both an input and an option `uri`',
    );
    expect(() => createRegistry([plugin({ a: stage('p/a', { sources: ['url'] }) })])).toThrow('has no such option');
  });
});
