import { stripVTControlCharacters } from 'node:util';

const segments = new Intl.Segmenter();

/** Columns a text takes on a terminal: colours take none, CJK and emoji two. */
export function textWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  let width = 0;
  for (const { segment } of segments.segment(plain)) width += clusterWidth(segment);
  return width;
}

function clusterWidth(cluster: string): number {
  const code = cluster.codePointAt(0) ?? 0;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0) || /^\p{M}/u.test(cluster)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x20000 && code <= 0x3fffd) ||
    /^\p{Emoji_Presentation}/u.test(cluster);
  return wide ? 2 : 1;
}

/** The text cut to `width` columns, with `…` where something was left out. Colours within are kept. */
export function truncate(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width <= 0) return '';
  let taken = '';
  let used = 0;
  // Escape sequences pass whole; what is visible is counted.
  for (const piece of text.split(/(\u001b\[[0-9;]*m)/)) {
    if (piece.startsWith('\u001b[')) {
      taken += piece;
      continue;
    }
    for (const { segment } of segments.segment(piece)) {
      const next = clusterWidth(segment);
      if (used + next > width - 1) {
        used = Infinity;
        break;
      }
      taken += segment;
      used += next;
    }
    if (used === Infinity) break;
  }
  const coloured = taken.includes('\u001b[');
  return `${taken}…${coloured ? '\u001b[0m' : ''}`;
}

/** Padded with spaces to `width` columns; longer texts stay as they are. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)));
  return side === 'left' ? text + space : space + text;
}

/** Words broken into lines of at most `width` columns; longer words stand alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(/ +/)) {
      if (line && textWidth(line) + 1 + textWidth(word) > width) {
        lines.push(line);
        line = word;
      } else line = line ? `${line} ${word}` : word;
    }
    lines.push(line);
  }
  return lines;
}
