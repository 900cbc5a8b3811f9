import type { Diagnostic } from '@hourglass/core';
import { formatDiagnostics } from '@hourglass/core';
import type { Colors } from '../colors.ts';

/** Mistakes of pipeline files as core words them, with colours where the terminal has some. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], c: Colors): string {
  return diagnostics
    .map((diagnostic) => {
      const [first = '', ...rest] = formatDiagnostics([diagnostic]).split('\n');
      const label = diagnostic.severity === 'error' ? c.red('error') : c.yellow('warning');
      const head = first
        .replace(/^\S+:\d+:\d+(?= (error|warning):)/, (place) => c.bold(place))
        .replace(/ (error|warning): /, ` ${label}: `)
        .replace(/ \[[a-z-]+\]$/, (code) => c.dim(code));
      return [
        head,
        ...rest.map((line) => {
          if (/^ +\| +\^$/.test(line)) return c.red(line);
          if (/^ *\d* +\|/.test(line)) return c.dim(line);
          return line.replace(
            /^( {2}did you mean )(.*)(\?)$/,
            (_, before, name, after) => before + c.green(name) + after,
          );
        }),
      ].join('\n');
    })
    .join('\n\n');
}
