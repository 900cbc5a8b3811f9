/** True where a path holds wildcards as DuckDB knows them: `*`, `?`, `[a-z]`, `**`. */
export const isGlob = (path: string): boolean => /[*?[]/.test(path);

/** The folder a glob begins in: everything before the first name with a wildcard. */
export function globBase(pattern: string): string {
  const names = pattern.split('/');
  return names.slice(0, names.findIndex(isGlob)).join('/') || (pattern.startsWith('/') ? '/' : '.');
}

/** Matches whole paths with `/` between names; `**` stands for any number of folders. */
export function globPattern(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (pattern.startsWith('**/', i)) {
      source += '(?:[^/]+/)*';
      i += 2;
    } else if (pattern.startsWith('**', i)) {
      source += '.*';
      i += 1;
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[' && pattern.indexOf(']', i + 2) > 0) {
      const end = pattern.indexOf(']', i + 2);
      const set = pattern
        .slice(i + 1, end)
        .replaceAll('\\', '\\\\')
        .replaceAll('[', '\\[');
      source += `[${set.startsWith('!') ? `^${set.slice(1)}` : set}]`;
      i = end;
    } else source += char.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  }
  return new RegExp(`^${source}$`, 'u');
}
