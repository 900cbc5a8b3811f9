import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { createContext } from '../index.ts';
import { createProgram } from '../program.ts';

/** `names promote` and the like: commands that do something; each word with its aliases. */
function calls(command: Command, before: string[][] = []): string[][][] {
  return command.commands
    .filter((child) => child.name() !== 'help')
    .flatMap((child) => {
      const path = [...before, [child.name(), ...child.aliases()]];
      return child.commands.length > 0 ? calls(child, path) : [path];
    });
}

it('docs/cli.md shows every command', () => {
  const output = { write: () => true };
  const context = createContext({ stdout: output, stderr: output, env: {}, cwd: '.' });
  const all = calls(createProgram(context, { exitCode: 0, json: false, argv: [] }));
  expect(all.length).toBeGreaterThan(30);
  // A line may show several: `hourglass names ls | show X`.
  const lines = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8').match(/^hourglass .*$/gm)!;
  const words = lines.map((line) => line.match(/[a-z][a-z-]*/g)!);
  const missing = all.filter(
    (path) => !words.some((line) => path.every((names) => names.some((name) => line.includes(name)))),
  );
  expect(missing.map((path) => path.map(([name]) => name).join(' '))).toEqual([]);
});
