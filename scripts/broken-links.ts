import { dirname, posix } from 'node:path';

export interface BrokenLink {
  file: string;
  line: number;
  target: string;
  problem: string;
}

/**
 * Links within Markdown files that lead nowhere: a file that is not there, or a heading that the file has not. Links to
 * the web are not followed.
 *
 * @param files texts of Markdown files by path from the root, with `/`
 * @param exists whether a path from the root is a file or folder
 */
export function brokenLinks(
  files: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
): { checked: number; broken: BrokenLink[] } {
  const anchors = new Map([...files].map(([file, text]) => [file, anchorsOf(text)]));
  const broken: BrokenLink[] = [];
  let checked = 0;
  for (const [file, text] of files)
    for (const { target, line } of linksOf(text)) {
      if (/^[a-z][a-z+.-]*:/i.test(target)) continue;
      checked++;
      const [path = '', anchor] = decodeURI(target).split('#') as [string, string?];
      const to = path === '' ? file : posix.normalize(posix.join(dirname(file), path)).replace(/\/$/, '');
      const say = (problem: string): unknown => broken.push({ file, line, target, problem });
      if (to.startsWith('..')) say('leads out of the repository');
      else if (!exists(to)) say(`there is no ${to}`);
      else if (anchor !== undefined && anchors.has(to) && !anchors.get(to)!.has(anchor))
        say(`${to} has no heading #${anchor}; it has: ${[...anchors.get(to)!.keys()].slice(0, 12).join(', ')}`);
    }
  return { checked, broken };
}

/** Lines with code taken out: what stands in code is no link and no heading. */
export function* prose(text: string): Generator<{ line: number; text: string }> {
  let fence: string | undefined;
  for (const [i, line] of text.split('\n').entries()) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined && mark) fence = mark;
    else if (fence !== undefined) {
      if (mark?.startsWith(fence)) fence = undefined;
    } else yield { line: i + 1, text: line };
  }
}

/** A line with code in it blanked out; what is left stands where it stood. */
export const withoutCode = (line: string): string =>
  line.replace(/(`+)(?:(?!\1).)*\1/g, (code) => ' '.repeat(code.length));

/** Links in the prose of a Markdown text. */
export function* linksOf(text: string): Generator<{ line: number; target: string }> {
  for (const { line, text: full } of prose(text)) {
    const bare = withoutCode(full);
    // [text](target "title"), ![alt](target), [name]: target
    for (const [, target] of bare.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g))
      yield { line, target: target! };
    const reference = /^\s{0,3}\[[^\]]+\]:\s+<?(\S+?)>?\s*$/.exec(bare)?.[1];
    if (reference) yield { line, target: reference };
  }
}

/** Anchors as GitHub makes them: lower case, punctuation gone, blanks to hyphens, repeated ones numbered. By anchor, the line (from 1). */
export function anchorsOf(text: string): Map<string, number> {
  const anchors = new Map<string, number>();
  const seen = new Map<string, number>();
  for (const { line: number, text: line } of prose(text)) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    for (const [, id] of line.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.set(id!, number);
    if (heading === undefined) continue;
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    anchors.set(times === 0 ? slug : `${slug}-${times}`, number);
  }
  return anchors;
}
