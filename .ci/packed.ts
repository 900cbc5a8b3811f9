// Installs the tarballs of all packages, and nothing else of this repository, in a folder outside of it; writes a plugin there,
// packs and installs it, and runs what a user runs: on each version of Node, and on a Temporal server. Ends with "N passed, N failed".
// Call: tsx .ci/packed.ts [VERSION of node …]; packages have to be built.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { packAll } from '../scripts/packages/pack-all.ts';

const versions = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'hourglass-packed-'));
const project = join(folder, 'project');
const cache = join(folder, 'cache');
const plugin = join(project, 'hourglass-plugin-demo-app');
let passed = 0;
let failed = 0;

function count(title: string, good: boolean, started: number, said: string): boolean {
  console.log(`${good ? 'ok' : 'FAILED'}: ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (good) passed++;
  else {
    failed++;
    console.log(said);
  }
  return good;
}

/**
 * What a user's shell has, with a Node first on its path and a store of that Node's own. The cache is new, so that the engine
 * is the one npm brings. Certificates of the network stay, or nothing could be installed.
 */
function environment(node: string): Record<string, string | undefined> {
  const foreign = /^(npm_|NODE_(?!EXTRA_CA_CERTS)|HOURGLASS_|TEMPORAL_)/i;
  const inherited = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return {
    ...Object.fromEntries(inherited),
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    XDG_CACHE_HOME: cache,
    HOURGLASS_HOME: join(folder, `store-${dirname(node).replaceAll('/', '_')}`),
  };
}

/** A development server that is here already need not be fetched again. */
function keepTemporal(): void {
  const here = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hourglass/temporal-cli');
  mkdirSync(join(cache, 'hourglass'), { recursive: true });
  if (existsSync(here)) symlinkSync(here, join(cache, 'hourglass/temporal-cli'));
}

interface Step {
  cwd?: string;
  expected?: RegExp;
  node?: string;
  env?: Record<string, string>;
}

/** Runs a command; `expected` has to be in what it prints. */
function step(
  title: string,
  command: string[],
  { cwd = project, expected, node = process.execPath, env = {} }: Step = {},
): boolean {
  const started = Date.now();
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), {
    cwd,
    env: { ...environment(node), ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 27,
  });
  const good = status === 0 && (expected === undefined || expected.test(stdout));
  return count(
    title,
    good,
    started,
    `${command.join(' ')}\n${stdout.slice(-3000)}\n${stderr.slice(-3000)}\nexit code ${status}${expected ? `, expected ${expected}` : ''}`,
  );
}

/** Two ports that nobody listens on. */
async function freePorts(): Promise<number[]> {
  const servers = await Promise.all(
    [0, 1].map(
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A Temporal server with a worker from the tarballs: it has to know the installed plugin and run a pipeline with it. */
async function onTemporal(hourglass: string, example: string): Promise<void> {
  const [port, ui] = await freePorts();
  const started = Date.now();
  const child = spawn(process.execPath, [hourglass, 'dev', '--port', String(port), '--ui-port', String(ui)], {
    cwd: project,
    env: environment(process.execPath),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const polls = /worker polls[^]*\n.*\bdemo-app\b/;
  while (!polls.test(said) && child.exitCode === null && Date.now() - started < 180_000)
    await new Promise((resolve) => setTimeout(resolve, 250));
  if (count('a Temporal worker loads the plugin', polls.test(said), started, said.slice(-3000)))
    step(
      'hourglass submit runs a pipeline with it',
      [
        process.execPath,
        hourglass,
        'submit',
        example,
        '--wait',
        '--plain',
        '--seed',
        '8',
        '--out',
        join(folder, 'out'),
      ],
      { expected: /evaluate/, env: { TEMPORAL_ADDRESS: `127.0.0.1:${port}` } },
    );
  child.kill('SIGINT');
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await ended;
  clearTimeout(late);
}

try {
  mkdirSync(project);
  keepTemporal();
  const packages = packAll(folder);
  writeFileSync(join(project, '.npmrc'), 'ignore-scripts=true\naudit=false\nfund=false\n');
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({
      name: 'project',
      private: true,
      type: 'module',
      // All are named, since none of them is at the registry.
      dependencies: Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`])),
      devDependencies: { typescript: '^6.0.3', vitest: '^4.1.12', '@types/node': '^20.19.0' },
    }),
  );
  const hourglass = join(project, 'node_modules/.bin/hourglass');
  const ready =
    step(`${packages.length} tarballs install`, ['npm', 'install', '--prefer-offline']) &&
    step('hourglass plugin new demo-app', [hourglass, 'plugin', 'new', 'demo-app'], { expected: /npm test/ }) &&
    step('the new plugin builds and passes its tests', ['npm', 'test'], { cwd: plugin, expected: /39 passed/ }) &&
    step('it packs', ['npm', 'pack', '--pack-destination', folder], { cwd: plugin });
  if (ready) {
    rmSync(plugin, { recursive: true });
    const tarball = readdirSync(folder).find((name) => name.startsWith('hourglass-plugin-demo-app'))!;
    step('it installs from its tarball', ['npm', 'install', '--prefer-offline', join(folder, tarball)]);
    const nodes: [string, string][] = [[process.version, process.execPath]];
    for (const version of versions) {
      const name = `node-${process.platform}-${process.arch}`;
      const at = join(folder, `node-${version}`);
      if (step(`Node ${version}`, ['npm', 'install', '--no-save', '--prefix', at, `${name}@${version}`]))
        nodes.push([version, join(at, 'node_modules', name, 'bin/node')]);
    }
    const example = 'node_modules/hourglass-plugin-demo-app/examples/demo-app.yaml';
    const quickstart = 'node_modules/@hourglass/workflows/pipelines/wdbc-imputation.yaml';
    for (const [version, node] of nodes) {
      const run = (title: string, argv: string[], expected?: RegExp): boolean =>
        step(`${title} on Node ${version}`, [node, hourglass, ...argv], { node, expected });
      run('hourglass plugins finds the plugin', ['plugins'], /demo-app/);
      run('hourglass run uses the plugin', ['run', example, '--plain', '--out', join(folder, 'out')], /evaluate/);
      run('the quickstart runs', ['run', quickstart, '--plain', '--report', '--out', join(folder, 'out')], /export/);
    }
    await onTemporal(hourglass, example);
    const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
      dependencies: object;
    };
    console.log(`${Object.keys(dependencies).length} packages from tarballs`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
