/** One mistake (or remark) in a pipeline file. */
export interface Diagnostic {
  severity: 'error' | 'warning';
  /** Kind of mistake, stable for machines: `unknown-stage`, `cycle`, `option-invalid` … */
  code: string;
  message: string;
  file: string;
  /** 1-based. */
  line: number;
  column: number;
  /** Where in the document: `stages.train.with.latentDim`. */
  path: string;
  expected?: string;
  found?: string;
  /** What was probably meant. */
  suggestion?: string;
  /** The source line, for printing. */
  source?: string;
}

/** Diagnostics as people read them: `file:line:column`, what, expected, found, did you mean, the line and a caret. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map(formatOne).join('\n\n');
}

function formatOne(d: Diagnostic): string {
  const lines = [`${d.file}:${d.line}:${d.column} ${d.severity}: ${d.message} [${d.code}]`];
  if (d.expected !== undefined) lines.push(`  expected: ${d.expected}`);
  if (d.found !== undefined) lines.push(`  found:    ${d.found}`);
  if (d.suggestion !== undefined) lines.push(`  did you mean ${d.suggestion}?`);
  if (d.source !== undefined && d.source.trim()) {
    const number = String(d.line).padStart(4);
    // A tab is one column for the position but several on a terminal: keep it in the padding.
    const padding = d.source.slice(0, d.column - 1).replace(/[^\t]/g, ' ');
    lines.push(`${number} | ${d.source}`, `     | ${padding}^`);
  }
  return lines.join('\n');
}
