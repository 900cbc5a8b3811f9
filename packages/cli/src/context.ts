import type { Colors } from './colors.ts';
import pc from 'picocolors';

/** A terminal, a pipe, or a test's buffer. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

/** What a command may touch of the process: handed in, so that tests can watch. */
export interface CliContext {
  stdout: Output;
  stderr: Output;
  env: Record<string, string | undefined>;
  cwd: string;
  /** Colours of stdout. */
  colors: Colors;
  /** Colours of stderr. */
  errorColors: Colors;
  /** Loads a plugin's manifest; from sources, out of the bundle. */
  importModule?: (url: string) => Promise<unknown>;
  /** `--debug`: causes and stacks of errors. */
  debug: boolean;
}

/** Whether to write colours: NO_COLOR and FORCE_COLOR win (https://no-color.org), then whether it is a terminal. */
function wantsColor(output: Output, env: CliContext['env']): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return output.isTTY === true && env.TERM !== 'dumb';
}

export function createContext(host: {
  stdout: Output;
  stderr: Output;
  env: CliContext['env'];
  cwd: string;
  importModule?: CliContext['importModule'];
}): CliContext {
  return {
    ...host,
    colors: pc.createColors(wantsColor(host.stdout, host.env)),
    errorColors: pc.createColors(wantsColor(host.stderr, host.env)),
    debug: Boolean(host.env.HOURGLASS_DEBUG),
  };
}

/** Whether the screen may be redrawn in place. */
export function isInteractive(context: CliContext): boolean {
  return context.stdout.isTTY === true && !context.env.CI && context.env.TERM !== 'dumb';
}
