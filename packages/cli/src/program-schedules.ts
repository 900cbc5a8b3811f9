import type { Command } from 'commander';
import { onServer, type CommandTools } from './program-temporal.ts';

/** `hourglass schedule …` */
export function scheduleCommands({ context, define, examples, jsonOption }: CommandTools, group: string): void {
  const schedule = define('schedule', group)
    .summary('run pipelines at the times their files say')
    .description(
      "Schedules on the server, one a pipeline, made from the `schedule` of its file. A run's partition comes from the time it is\nscheduled for, also when it runs late or is backfilled.",
    );
  const command = (nameAndArgs: string): Command => onServer(define(nameAndArgs, '', schedule)).addOption(jsonOption());
  const load = () => import('./commands/temporal/schedule.ts');

  command('apply <files...>')
    .summary('make the schedules what the files say')
    .description(
      'Makes the schedule of each file, or changes what differs, and says what. Applying the same again changes nothing.\nWhether a schedule is paused stays as it is.',
    )
    .option('--out <folder>', 'where relative destinations go; default: the folder the worker is told')
    .option('--dry-run', 'say what would change, change nothing')
    .action(async (files, _, self) => (await load()).apply(context, files, self.optsWithGlobals()))
    .addHelpText(
      'after',
      examples([
        ['hourglass schedule apply pipelines/*.yaml', 'all of a folder'],
        ['hourglass schedule apply daily.yaml --dry-run', 'what would change'],
      ]),
    );
  command('list')
    .alias('ls')
    .summary('schedules, their next times and latest runs')
    .description('Lists the schedules of pipelines on the server.')
    .action(async (_, self) => (await load()).list(context, self.optsWithGlobals()));
  command('describe <name>')
    .alias('show')
    .summary('one schedule: times, params, runs')
    .description('Shows one schedule: its times, what it does when a run is still going, its params and latest runs.')
    .action(async (name, _, self) => (await load()).describe(context, name, self.optsWithGlobals()));
  for (const [what, summary, description] of [
    ['pause', 'start no runs until it is resumed', 'Starts no runs until it is resumed; a run under way goes on.'],
    ['resume', 'go on with a paused schedule', 'Goes on with a paused schedule, from its next time on.'],
    ['trigger', 'run it once, now', 'Runs it once, now, beside its times.'],
    ['delete', 'remove a schedule', 'Removes a schedule; its runs stay.'],
  ] as const) {
    const one = command(`${what} <name>`).summary(summary).description(description);
    if (what === 'pause' || what === 'resume')
      one.option('--reason <text>', 'kept with the schedule').option('--by <name>', 'who says so; default: the user');
    one.action(async (name, _, self) => (await load()).change(context, what, name, self.optsWithGlobals()));
  }
  command('backfill <name>')
    .summary('run it for times that have passed')
    .description(
      'Runs it for every time from --from to --to, both included, at which it would have run. What is cached is not computed\nagain.',
    )
    .requiredOption('--from <time>', 'ISO 8601; a day alone begins at midnight UTC')
    .requiredOption('--to <time>', 'ISO 8601')
    .option('--parallel', 'side by side instead of one after the other')
    .action(async (name, _, self) => (await load()).backfill(context, name, self.optsWithGlobals()))
    .addHelpText(
      'after',
      examples([['hourglass schedule backfill wdbc-imputation --from 2026-11-01 --to 2026-11-07T23:59Z', '']]),
    );
}
