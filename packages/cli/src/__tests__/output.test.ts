import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatNumber, formatWhen } from '../output/format.ts';
import { comparisonTable, scalarLine } from '../output/metrics-table.ts';
import { painter } from '../output/painter.ts';
import { progressBook } from '../output/progress-book.ts';
import { stageLine } from '../output/stage-line.ts';
import type { StageRow } from '@hourglass/runtime';
import { formatTable } from '../output/table.ts';
import { textWidth, truncate, wrap } from '../output/text-width.ts';

const plain = pc.createColors(false);
const colored = pc.createColors(true);

describe('numbers for people', () => {
  it('says durations in the unit one would use', () => {
    expect([340, 4210, 59_960, 185_000, 7_620_000].map(formatDuration)).toEqual([
      '340 ms',
      '4.2 s',
      '1 min 00 s',
      '3 min 05 s',
      '2 h 07 min',
    ]);
  });
  it('says sizes and counts so that they can be read', () => {
    expect([812, 3400, 999_600, 1.2e9].map(formatBytes)).toEqual(['812 B', '3.4 kB', '1.0 MB', '1.2 GB']);
    expect(formatCount(1234567)).toBe('1,234,567');
  });
  it('gives metrics four digits and never hides what is not a number', () => {
    expect([0.051234, 12, 1e-7, Number.NaN, -3.14159].map(formatNumber)).toEqual([
      '0.05123',
      '12',
      '1.00e-7',
      'NaN',
      '-3.142',
    ]);
  });
  it('says near times in words and far ones as dates', () => {
    const now = Date.parse('2026-11-24T12:00:00');
    expect(formatWhen(now - 30_000, now)).toBe('just now');
    expect(formatWhen(now - 240_000, now)).toBe('4 min ago');
    expect(formatWhen(now - 3 * 86_400_000, now)).toBe('2026-11-21 12:00');
  });
});

describe('widths', () => {
  it('counts neither colours nor combining marks, and wide letters twice', () => {
    expect(textWidth(colored.red('abc'))).toBe(3);
    expect(textWidth('填充')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
  });
  it('cuts to the width, colours closed', () => {
    expect(truncate('abcdef', 4)).toBe('abc…');
    expect(textWidth(truncate(colored.red('填充缺失'), 5))).toBeLessThanOrEqual(5);
    expect(truncate(colored.red('abcdef'), 4)).toMatch(/…\u001b\[0m$/);
  });
  it('breaks at words', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
  });
});

describe('tables', () => {
  const columns = [{ title: 'A' }, { title: 'WHY', shrink: true, minimum: 6 }, { title: 'EMPTY' }];
  it('leave out columns that are empty and let the named column give way', () => {
    const lines = formatTable(columns, [['x', 'a long reason indeed', '']], { width: 14 });
    expect(lines).toEqual(['A  WHY', 'x  a long rea…']);
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(14);
  });
});

describe('metrics', () => {
  const value = {
    rmse: 0.051,
    r2: 0.9,
    accuracy: null,
    baselines: { knn: { rmse: 0.06, r2: 0.8 }, mean: { rmse: 0.15, r2: 0 } },
  };
  it('stand beside their baselines, the best of each in the direction its name has', () => {
    const lines = comparisonTable('evaluate', value, plain, 80);
    expect(lines[0]).toMatch(/evaluate +rmse +r2/);
    expect(lines[1]).toMatch(/this model +0\.051 +0\.9/);
    expect(lines[3]).toMatch(/mean +0\.15 +0$/);
    const best = comparisonTable('evaluate', value, colored, 80).filter((line) => line.includes('\u001b[1m'));
    expect(best).toHaveLength(1);
    expect(best[0]).toContain('this model');
  });
  it('of a stage without baselines stand in one line', () => {
    expect(scalarLine({ loss: 0.0412345, epochs: 120, name: 'x', columns: { a: 1 } })).toBe(
      'loss 0.04123 · epochs 120',
    );
  });
});

describe('time left', () => {
  it('follows the pace of the present stretch, also of one that begins in the middle', () => {
    const book = progressBook();
    book.update({ path: 'train', fraction: 0.5, message: '' }, 0);
    expect(book.update({ path: 'train', fraction: 0.51, message: '' }, 100).left).toBeUndefined();
    expect(book.update({ path: 'train', fraction: 0.75, message: '' }, 5000).left).toBeCloseTo(5000);
  });
  it('of a group or fan-out is what moved last within', () => {
    const book = progressBook();
    book.update({ path: 'regions[north].train', fraction: 0.1, message: 'a' }, 0);
    book.update({ path: 'regions[south].train', fraction: 0.2, message: 'b' }, 1);
    expect(book.latest('regions')?.message).toBe('b');
    book.forget('regions');
    expect(book.latest('regions')).toBeUndefined();
  });
});

describe('a stage in one line', () => {
  const row: StageRow = {
    path: 'train',
    depth: 0,
    uses: 'toy/work',
    status: 'running',
    attempt: 1,
    maxAttempts: 3,
    startedAt: 0,
    outputs: {},
    needs: ['ingest'],
  };
  const layout = { width: 80, names: 10, now: 4200, frame: 0 };
  it('shows state, time, share done, message, loss and time left within the width', () => {
    const progress = {
      path: 'train',
      fraction: 0.5,
      message: 'epoch 40/80',
      metrics: { loss: 0.04123 },
      at: 0,
      left: 4000,
    };
    const line = stageLine(row, progress, plain, layout);
    expect(line).toContain('4.2 s');
    expect(line).toContain('████████░░░░░░░░');
    expect(line).toContain('50 % epoch 40/80 · loss 0.04123');
    for (const width of [40, 60, 80])
      expect(textWidth(stageLine(row, progress, plain, { ...layout, width }))).toBeLessThanOrEqual(width);
    expect(stageLine(row, progress, plain, { ...layout, width: 100 })).toContain('4.0 s left');
  });
  it('tells states apart without colours', () => {
    const marks = (
      ['running', 'cached', 'done', 'failed', 'skipped', 'waiting', 'cancelled', 'backoff', 'approval'] as const
    ).map((status) => stageLine({ ...row, status }, undefined, plain, layout)[1]);
    expect(new Set(marks).size).toBe(marks.length);
  });
});

/** What a terminal would show: enough of one to judge a painter by. */
function terminal(columns: number, rows: number) {
  const lines: string[] = [''];
  let y = 0;
  let x = 0;
  const output = {
    columns,
    rows,
    isTTY: true,
    write(text: string) {
      for (const [token] of text.matchAll(/\u001b\[\??[0-9;]*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g)) {
        const up = /^\u001b\[(\d+)A$/.exec(token);
        if (up) y = Math.max(0, y - Number(up[1]));
        else if (token === '\n') {
          y++;
          x = 0;
          lines[y] ??= '';
        } else if (token === '\r') x = 0;
        else if (token === '\u001b[K') lines[y] = lines[y]!.slice(0, x);
        else if (token === '\u001b[J') {
          lines[y] = lines[y]!.slice(0, x);
          lines.length = y + 1;
        } else if (!token.startsWith('\u001b')) {
          lines[y] = lines[y]!.slice(0, x).padEnd(x) + token + lines[y]!.slice(x + token.length);
          x += token.length;
        }
      }
    },
  };
  return { output, screen: () => lines.join('\n').trimEnd() };
}

describe('the painter', () => {
  it('redraws in place, also when the block gets shorter', () => {
    const { output, screen } = terminal(40, 20);
    const paint = painter(output);
    paint.paint(['one', 'two', 'three']);
    paint.paint(['ONE', 'two']);
    expect(screen()).toBe('ONE\ntwo');
  });
  it('keeps printed lines above the block', () => {
    const { output, screen } = terminal(40, 20);
    const paint = painter(output);
    paint.paint(['a', 'b']);
    paint.print('a warning');
    paint.paint(['a2', 'b2']);
    expect(screen()).toBe('a warning\na2\nb2');
  });
  it('never writes a line that would wrap or more lines than the terminal has', () => {
    const { output, screen } = terminal(10, 6);
    painter(output).paint(Array.from({ length: 30 }, (_, i) => `line ${i} is long`));
    const lines = screen().split('\n');
    expect(lines.length).toBeLessThanOrEqual(5);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(10);
    expect(lines.at(-1)).toMatch(/^line 29/);
  });
});
