import type { Command, Option } from 'commander';
import type { CliContext } from './context.ts';
import type { ProgramState } from './program.ts';
import { scheduleCommands } from './program-schedules.ts';

/** What the commands of the server share with all others. */
export interface CommandTools {
  context: CliContext;
  state: ProgramState;
  define(nameAndArgs: string, group: string, parent?: Command): Command;
  bindingOptions(command: Command): Command;
  examples(lines: [string, string][]): string;
  integer(minimum: number): (value: string) => number;
  list(value: string, all?: string[]): string[];
  storeOption(): Option;
  jsonOption(what?: string): Option;
}

const GROUP = 'On Temporal:';

/** Options that say which server. */
export function onServer(command: Command): Command {
  return command
    .option('--address <host:port>', 'the server; default: TEMPORAL_ADDRESS, temporal.toml, localhost:7233')
    .option('--namespace <name>', 'default: TEMPORAL_NAMESPACE, temporal.toml, default');
}

/** Commands that speak to a Temporal server. */
export function temporalCommands(tools: CommandTools): void {
  const { context, state, define, bindingOptions, examples, integer, list, storeOption, jsonOption } = tools;

  const workerOptions = (command: Command): Command =>
    onServer(command)
      .option('--queues <names>', 'queues to poll: cpu (runs workflows as well), gpu, … (HOURGLASS_QUEUES)', list)
      .option('--slots <n>', 'stages at once, a queue; default: one a core, one for gpu', integer(1))
      .option('--out <folder>', 'where relative destinations go when a run does not say; default: the current folder')
      .option('--health <host:port>', 'serve /healthz there')
      .option('--metrics <host:port>', 'serve Prometheus metrics there')
      .addOption(storeOption());

  workerOptions(define('dev', GROUP))
    .summary('a server with its UI and a worker, here')
    .description(
      "Starts Temporal's development server (fetched once, when none is here) with a file database, its UI and our search\nattributes, and a worker. Ctrl-C stops all; runs go on at the next start.",
    )
    .option('--port <n>', 'port of the server; the UI is 1000 above', integer(1), 7233)
    .option('--ui-port <n>', 'port of the UI', integer(1))
    .option('--db <file>', 'database; default: temporal/dev.db in the store')
    .action(async (options) => (await import('./commands/temporal/dev.ts')).dev(context, state, options));

  workerOptions(define('worker', GROUP))
    .summary('run stages (and workflows) for a server')
    .description(
      'Polls queues of a Temporal server and runs what comes, until it is told to stop: the first signal saves checkpoints and\ngives stages back, so that another worker goes on with them.',
    )
    .action(async (options) => (await import('./commands/temporal/worker.ts')).worker(context, options))
    .addHelpText(
      'after',
      examples([
        ['hourglass worker', 'workflows, and stages that need no accelerator'],
        ['hourglass worker --queues gpu', 'stages that want a GPU, one at a time'],
        ['TEMPORAL_PROFILE=prod hourglass worker --health :8080 --metrics :9464', ''],
      ]),
    );

  onServer(bindingOptions(define('submit <file>', GROUP)))
    .summary('run a pipeline on the server')
    .description(
      'Hands a pipeline to the server. One run of a pipeline and partition at a time; refused when no worker would run it.',
    )
    .option('--id <id>', 'id of the run; default: NAME-PARTITION')
    .option('--partition <text>', 'partition of the run; default: the day of its time')
    .option('--unattended', 'nobody will be asked: `onFailure: wait` fails at once')
    .option('--wait', 'watch it until it ends; the exit code is that of a run here')
    .option('--plain', 'with --wait: one line an event instead of a live view')
    .addOption(jsonOption('JSON; with --wait one event a line'))
    .action(async (file, options) =>
      (await import('./commands/temporal/submit.ts')).submit(context, state, file, options),
    );

  onServer(define('status [run]', GROUP))
    .summary('runs on the server, or one of them')
    .description('Lists runs on the server, newest first; with RUN its stages, metrics, and what is under way.')
    .option('-n, --limit <n>', 'so many at the most', integer(1), 20)
    .option('--pipeline <name>', 'of one pipeline')
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (run, options) => (await import('./commands/temporal/status.ts')).status(context, run, options));

  onServer(define('watch <run>', GROUP))
    .alias('logs')
    .summary('watch a run on the server')
    .description('Shows a run on the server as it goes, like one of this machine, until it ends.')
    .option('--plain', 'one line an event instead of a live view')
    .addOption(storeOption())
    .addOption(jsonOption('one JSON event a line'))
    .action(async (run, options) => (await import('./commands/temporal/watch.ts')).watch(context, state, run, options));

  const told = (command: Command): Command =>
    onServer(command).option('--by <name>', 'who says so; default: the user').addOption(jsonOption());
  told(define('pause <run>', GROUP))
    .summary('start no further stage of a run')
    .description('What runs goes on; no further stage is started until `resume`.')
    .action(async (run, options) =>
      (await import('./commands/temporal/tell.ts')).tell(context, options, run, 'pause', {}),
    );
  told(define('resume <run>', GROUP))
    .summary('go on with a paused run')
    .description('Goes on with a paused run.')
    .action(async (run, options) =>
      (await import('./commands/temporal/tell.ts')).tell(context, options, run, 'resume', {}),
    );
  told(define('skip <run> <stage>', GROUP))
    .summary('leave out a stage that waits or is held open')
    .description(
      'Leaves out a stage that waits, or that failed and is held open; its dependants too, unless they say otherwise.',
    )
    .action(async (run, stage, options) =>
      (await import('./commands/temporal/tell.ts')).tell(context, options, run, 'skipStage', { stage }),
    );
  told(define('cancel <run> [stage]', GROUP))
    .summary('stop a run, or one stage of it')
    .description(
      'Stops a run, or one stage of it; checkpoints are saved first. A run that does not react, because workers fail its\nworkflow tasks, is ended by --force.',
    )
    .option('--force', 'end a run that does not react: what its stages did since their last checkpoints is lost')
    .action(async (run, stage, options) =>
      (await import('./commands/temporal/tell.ts')).cancel(context, run, stage, options),
    );

  scheduleCommands(tools, GROUP);

  onServer(define('record-history <run>', GROUP))
    .summary('write the history of a run to a file, for replay')
    .description(
      'Writes the history of a run as the server keeps it: what a later build of the workflow is replayed with, before it is\ndeployed. It holds the text of the pipeline and its params.',
    )
    .option('-o, --output <file>', 'file to write; .gz is compressed; default: RUN.history.json.gz')
    .addOption(jsonOption())
    .action(async (run, options) =>
      (await import('./commands/temporal/record-history.ts')).recordHistory(context, run, options),
    );

  define('codec-server', GROUP)
    .summary('decrypt payloads for the Temporal UI')
    .description(
      'Serves a codec endpoint with the keys of HOURGLASS_CODEC_KEY, so that the UI shows what is encrypted in histories. Whoever\nreaches it can read everything; it listens on this machine only unless told otherwise.',
    )
    .option('--listen <host:port>', 'where to serve', '127.0.0.1:8888')
    .option('--origin <url>', 'where the UI is: only its pages may ask', 'http://127.0.0.1:8233')
    .action(async (options) => (await import('./commands/temporal/codec-server.ts')).codecServer(context, options));

  const migrate = define('migrate', GROUP)
    .summary('prepare a server')
    .description('Brings a server to what this version needs. Calling it again changes nothing.');
  onServer(define('search-attributes', '', migrate))
    .summary('register our search attributes')
    .description('Registers the search attributes that runs are found by; those that are there stay.')
    .option('--dry-run', 'say what is missing, change nothing')
    .addOption(jsonOption())
    .action(async (_, self) =>
      (await import('./commands/temporal/migrate.ts')).migrateSearchAttributes(context, self.optsWithGlobals()),
    );
}
