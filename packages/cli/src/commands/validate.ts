import { dirname } from 'node:path';
import type { Diagnostic } from '@hourglass/core';
import { HourglassError } from '@hourglass/core';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { compileFile, readPipelineFile, shown } from '../load-pipeline.ts';
import { loadPlugins } from '../load-plugins.ts';
import { renderDiagnostics } from '../output/diagnostics.ts';
import { plural } from '../output/format.ts';
import type { ProgramState } from '../program.ts';

/** `hourglass validate FILE…` */
export async function validate(
  context: CliContext,
  state: ProgramState,
  files: string[],
  options: { json?: boolean },
): Promise<void> {
  const { colors: c, stdout } = context;
  const found: Diagnostic[] = [];
  let bad = 0;
  for (const name of files) {
    let file = name;
    let diagnostics: Diagnostic[];
    let stages = 0;
    try {
      const source = await readPipelineFile(context, file);
      const result = await compileFile(context, source, await loadPlugins(context, dirname(source.path)));
      diagnostics = result.diagnostics;
      stages = result.plan?.stages.length ?? 0;
      file = shown(context, source.path);
    } catch (error) {
      // Several files: one that is not there must not hide the mistakes of the others.
      if (files.length === 1 || !(error instanceof HourglassError)) throw error;
      const { message } = error;
      diagnostics = [{ severity: 'error', code: 'file', message, file, line: 1, column: 1, path: '' }];
    }
    found.push(...diagnostics);
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    const warnings = diagnostics.length - errors;
    if (errors > 0) bad++;
    if (options.json) continue;
    const remark = warnings ? `, ${plural(warnings, 'warning')}` : '';
    if (errors === 0) stdout.write(`${c.green('✓')} ${file}  ${c.dim(`${plural(stages, 'stage')}${remark}`)}\n`);
    else stdout.write(`${c.red('✗')} ${file}  ${plural(errors, 'mistake')}${remark}\n`);
    if (diagnostics.length) stdout.write(`\n${renderDiagnostics(diagnostics, c)}\n\n`);
  }
  if (options.json) stdout.write(`${JSON.stringify({ ok: bad === 0, files: files.length, diagnostics: found })}\n`);
  if (bad > 0) state.exitCode = EXIT.wrong;
}
