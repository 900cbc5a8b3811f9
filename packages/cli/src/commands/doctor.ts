import { constants } from 'node:fs';
import { access, mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder, isUri, processIdentity, resolveStoreLocation } from '@hourglass/artifacts';
import type { HourglassError } from '@hourglass/core';
import { engineStatuses, resolveEngine, type EngineName } from '@hourglass/engine';
import { discoverPlugins } from '@hourglass/runtime';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { openStoreFor } from '../open-store.ts';
import { formatBytes } from '../output/format.ts';
import { pad, wrap } from '../output/text-width.ts';
import type { ProgramState } from '../program.ts';
import { version } from '../version.ts';
import { countStages } from './plugins.ts';

export interface Check {
  name: string;
  /** `bad`: Hourglass cannot be used. `warn`: something optional is missing or low. */
  state: 'ok' | 'warn' | 'bad';
  found: string;
  remedy?: string;
}

/** `hourglass doctor` */
export async function doctor(
  context: CliContext,
  state: ProgramState,
  options: { store?: string; json?: boolean },
): Promise<void> {
  const { stdout, colors: c } = context;
  const checks = await examine(context, options);
  const usable = checks.every((check) => check.state !== 'bad');
  if (!usable) state.exitCode = EXIT.failed;
  if (options.json) {
    stdout.write(`${JSON.stringify({ usable, hourglass: version(), checks })}\n`);
    return;
  }
  const marks = { ok: c.green('✓'), warn: c.yellow('!'), bad: c.red('✗') };
  const width = Math.min(stdout.columns ?? 100, 120);
  const name = Math.max(...checks.map((check) => check.name.length));
  for (const check of checks) {
    const lines = wrap(check.found, width - name - 6);
    stdout.write(`${marks[check.state]} ${pad(check.name, name)}  ${lines.join(`\n${' '.repeat(name + 4)}`)}\n`);
    if (check.remedy)
      stdout.write(
        `${' '.repeat(name + 4)}${c.cyan('→')} ${wrap(check.remedy, width - name - 8).join(`\n${' '.repeat(name + 6)}`)}\n`,
      );
  }
  stdout.write(
    usable
      ? `\n${c.green('Hourglass can be used here.')}\n`
      : `\n${c.red('Hourglass cannot be used here')}: see ✗ above.\n`,
  );
}

/** Everything that is looked at, in the order it is shown. */
export async function examine(context: CliContext, options: { store?: string }): Promise<Check[]> {
  const location = resolveStoreLocation({ flag: options.store, env: context.env, cwd: context.cwd });
  return [
    { name: 'hourglass', state: 'ok', found: version() },
    { name: 'node', state: 'ok', found: `${process.version} on ${process.platform} ${process.arch}` },
    threads(),
    memory(),
    ...(await engines(context)),
    await duckdb(),
    await disk(location),
    await store(context, location),
    ...(await plugins(context)),
  ];
}

function threads(): Check {
  const count = availableParallelism();
  return { name: 'threads', state: 'ok', found: `${count}: so many stage processes work side by side` };
}

function memory(): Check {
  const free = freemem();
  const low = free < 1e9;
  return {
    name: 'memory',
    state: low ? 'warn' : 'ok',
    found: `${formatBytes(free)} free of ${formatBytes(totalmem())}`,
    remedy: low ? 'Close other programs, or lower resources.memory and batch sizes of stages.' : undefined,
  };
}

async function engines({ env }: CliContext): Promise<Check[]> {
  const statuses = engineStatuses();
  const best = statuses.find((status) => status.available);
  const chosen: Check = best
    ? { name: 'engine', state: 'ok', found: `auto means ${best.name}: ${best.reason}` }
    : {
        name: 'engine',
        state: 'bad',
        found: 'no tensor engine works here',
        remedy: 'Reinstall with npm ci; wasm and cpu come with Hourglass.',
      };
  const checks = [chosen];
  const wanted = env.HOURGLASS_ENGINE;
  if (wanted && wanted !== 'auto')
    try {
      // Loaded, because a library or driver that is there may still not work.
      await resolveEngine(wanted as EngineName);
    } catch (error) {
      const { message, details } = error as HourglassError;
      const { reason = message, remedy } = details as { reason?: string; remedy?: string };
      checks.push({ name: 'HOURGLASS_ENGINE', state: 'bad', found: `is ${wanted}: ${reason}`, remedy });
    }
  // Faster engines that are one step away; slower ones are no news.
  for (const { name, available, reason, remedy } of statuses.slice(0, best ? statuses.indexOf(best) : undefined))
    if (!available && remedy?.includes('install'))
      checks.push({ name, state: 'warn', found: `${reason}: training would be faster with it`, remedy });
  return checks;
}

async function duckdb(): Promise<Check> {
  try {
    await import('@hourglass/dataset');
    return { name: 'duckdb', state: 'ok', found: 'loads' };
  } catch (error) {
    return {
      name: 'duckdb',
      state: 'bad',
      found: `cannot be loaded: ${(error as Error).message.split('\n')[0]}`,
      remedy: 'Run npm ci on this machine: its binary is chosen by platform at install time.',
    };
  }
}

/** The nearest folder that exists: the store itself may not be there yet. */
async function existing(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    const there = await access(folder).then(
      () => true,
      () => false,
    );
    if (there || dirname(folder) === folder) return folder;
  }
}

async function disk(location: string): Promise<Check> {
  // What lies elsewhere is worked on in the cache folder.
  const folder = await existing(isUri(location) ? cacheFolder() : location);
  const { bavail, bsize, blocks } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${formatBytes(free)} free of ${formatBytes(blocks * bsize)} at ${folder}`;
  if (free > 1e9) return { name: 'disk', state: 'ok', found };
  return {
    name: 'disk',
    state: free < 50e6 ? 'bad' : 'warn',
    found,
    remedy: 'Free disk space, run hourglass artifacts gc, or put the store elsewhere (--store, HOURGLASS_HOME).',
  };
}

async function store(context: CliContext, location: string): Promise<Check> {
  const remedy = 'Choose another place with --store or HOURGLASS_HOME.';
  try {
    const { driver } = await openStoreFor(context, { store: location });
    if (isUri(location)) {
      const probe = `tmp/probe-${processIdentity}`;
      await driver.put(probe, new Uint8Array());
      await driver.delete(probe);
      return { name: 'store', state: 'ok', found: `${location} can be written` };
    }
    const folder = await existing(location);
    await access(folder, constants.W_OK);
    // access() says yes to root on some read-only filesystems: try.
    const probe = join(folder, `.hourglass-probe-${process.pid}`);
    await mkdir(probe);
    await writeFile(join(probe, 'x'), '');
    await rm(probe, { recursive: true });
    return {
      name: 'store',
      state: 'ok',
      found: folder === location ? `${location} can be written` : `${location} will be made by the first run`,
    };
  } catch (error) {
    return { name: 'store', state: 'bad', found: `${location}: ${(error as Error).message}`, remedy };
  }
}

async function plugins(context: CliContext): Promise<Check[]> {
  const found = await discoverPlugins({ from: context.cwd, importModule: context.importModule });
  const some = found.plugins.length > 0;
  return [
    {
      name: 'plugins',
      state: some ? 'ok' : 'bad',
      found: some
        ? `${countStages(found.plugins.map(({ manifest }) => manifest))}: ${found.plugins.map(({ manifest }) => manifest.name).join(', ')}`
        : 'none',
      remedy: some ? undefined : 'Run npm ci: the plugins come with Hourglass.',
    },
    ...found.problems.map(({ packageName, message }): Check => ({
      name: packageName,
      state: 'warn',
      found: message,
      remedy: `Fix or remove ${packageName}; the other plugins work.`,
    })),
  ];
}
