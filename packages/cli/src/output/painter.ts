import type { Output } from '../context.ts';
import { truncate } from './text-width.ts';

/** Draws a block of lines again and again in the same place. */
export interface Painter {
  paint(lines: readonly string[]): void;
  /** Lines that stay, above the block. */
  print(text: string): void;
  /** Leaves the block as it is; the cursor stands below it. */
  done(): void;
}

const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';
/** Terminals that know synchronized output show a frame at once; the others ignore it. */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';

/**
 * Overwrites line by line instead of erasing first, so nothing flickers; lines never wrap, since a wrapped line would
 * break the count. A block higher than the terminal shows its end.
 */
export function painter(output: Output): Painter {
  let height = 0;
  let last: readonly string[] = [];
  const write = (text: string): void => void output.write(text);
  const up = (): string => (height > 0 ? `\u001b[${height}A\r` : '\r');
  const fit = (lines: readonly string[]): readonly string[] => {
    const rows = Math.max(4, (output.rows ?? 40) - 1);
    const over = lines.length - rows;
    const shown = over <= 0 ? lines : [`… ${over + 1} lines above`, ...lines.slice(over + 1)];
    return shown.map((line) => truncate(line, (output.columns ?? 80) - 1));
  };
  return {
    paint(lines) {
      const fitted = fit(lines);
      const body = fitted.map((line) => `${line}\u001b[K\n`).join('');
      write(`${BEGIN}${HIDE}${up()}${body}\u001b[J${END}`);
      height = fitted.length;
      last = lines;
    },
    print(text) {
      const fitted = fit(last);
      const body = fitted.map((line) => `${line}\u001b[K\n`).join('');
      const kept = text
        .split('\n')
        .map((line) => `${line}\u001b[K\n`)
        .join('');
      write(`${BEGIN}${up()}${kept}${body}\u001b[J${END}`);
      height = fitted.length;
    },
    done() {
      write(SHOW);
      height = 0;
      last = [];
    },
  };
}
