/** A command line as one would type it again. */
export function asTyped(argv: readonly string[]): string {
  return ['hourglass', ...argv.map(quoted)].join(' ');
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
