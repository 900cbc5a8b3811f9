import type { CliContext } from './context.ts';
import { createContext } from './context.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { printError } from './output/errors.ts';
import { createProgram, type ProgramState } from './program.ts';
import { CommanderError } from 'commander';
import { HourglassError } from '@hourglass/core';

/**
 * The `hourglass` command.
 * @param argv arguments after the command's name
 * @returns the exit code: 0 ok, 1 a stage failed, 2 pipeline or call wrong, 3 a gate said no, 130 interrupted
 */
export async function main(
  argv: readonly string[],
  host: { importModule?: CliContext['importModule'] } = {},
): Promise<number> {
  // A reader that has seen enough (`| head`) is no failure.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT.ok);
      throw error;
    });
  const context = createContext({
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    importModule: host.importModule,
  });
  const code = await runCommand(argv, context);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Not left to the event loop: a native module or a timer of a dependency must not keep the prompt away.
  process.exit(code);
}

/** The same with everything it touches handed in. */
export async function runCommand(argv: readonly string[], context: CliContext): Promise<number> {
  const state: ProgramState = { exitCode: EXIT.ok, json: argv.includes('--json'), argv };
  if (argv.includes('--debug')) context.debug = true;
  if (argv.includes('--no-color')) {
    const plain = createContext({ ...context, env: { ...context.env, NO_COLOR: '1' } });
    Object.assign(context, {
      colors: plain.colors,
      errorColors: plain.errorColors,
      env: { ...context.env, NO_COLOR: '1' },
    });
  }
  try {
    await createProgram(context, state).parseAsync(forceBeforeFile(argv), { from: 'user' });
    return state.exitCode;
  } catch (error) {
    // Commander has written its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.wrong;
    const ours = HourglassError.from(error, 'INTERNAL');
    if (state.json) context.stdout.write(`${JSON.stringify({ type: 'error', ...ours.toJSON() })}\n`);
    printError(context, ours);
    return exitCodeOf(ours.code);
  }
}

/** `--force p.yaml` means all stages of p.yaml: the file must not be taken for the name of a stage. */
function forceBeforeFile(argv: readonly string[]): string[] {
  const at = argv.findIndex((argument, i) => argument === '--force' && /\.ya?ml$/.test(argv[i + 1] ?? ''));
  return at < 0 ? [...argv] : [...argv.slice(0, at), ...argv.slice(at + 1), '--force'];
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}
