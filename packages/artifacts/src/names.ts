import { firstNames, HourglassError, nearNames } from '@hourglass/core';
import { manifestKey } from './artifact-store.ts';
import type { StoreDriver } from './driver.ts';
import { mapLimited } from './map-limited.ts';
import type { NameAlias, Names, NameSummary, NameVersion } from './types.ts';
import { corrupt } from './verified-blobs.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/**
 * `names/NAME/versions/N.json` and `names/NAME/aliases/ALIAS/N.json`: the next number is taken by put-if-absent, which is
 * the compare-and-swap, and what was is never overwritten.
 */
export function names(driver: StoreDriver): Names {
  const versionsOf = (name: string): string => `names/${name}/versions`;
  const aliasesOf = (name: string): string => `names/${name}/aliases`;

  async function numbers(folder: string): Promise<number[]> {
    const found: number[] = [];
    for await (const { key } of driver.list(folder))
      found.push(Number.parseInt(key.slice(key.lastIndexOf('/') + 1), 10));
    return found.sort((a, b) => a - b);
  }

  async function readKey<T>(key: string): Promise<T | undefined> {
    const bytes = await driver.read(key);
    try {
      return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as T);
    } catch {
      throw corrupt(
        `The published name in ${key}`,
        `${driver.location}/${key}`,
        'Publish it again, or promote another version.',
      );
    }
  }

  async function read<T>(folder: string, n: number): Promise<T | undefined> {
    return readKey<T>(entry(folder, n));
  }

  async function version(name: string, n: number | undefined): Promise<NameVersion | undefined> {
    return n === undefined ? undefined : read<NameVersion>(versionsOf(name), n);
  }

  async function currentAliases(name: string): Promise<NameAlias[]> {
    const latest = new Map<string, number>();
    for await (const { key } of driver.list(aliasesOf(name))) {
      const [alias, file] = key.split('/').slice(-2) as [string, string];
      latest.set(alias, Math.max(latest.get(alias) ?? 0, Number.parseInt(file, 10)));
    }
    const found = await mapLimited([...latest].sort(), 8, ([alias, n]) =>
      read<NameAlias>(`${aliasesOf(name)}/${alias}`, n),
    );
    return found.filter((alias) => alias !== undefined);
  }

  async function allNames(): Promise<string[]> {
    const found = new Set<string>();
    for await (const { key } of driver.list('names')) found.add(key.split('/')[1]!);
    return [...found].sort();
  }

  async function missing(name: string, wanted: string): Promise<HourglassError> {
    const versions = await numbers(versionsOf(name));
    if (versions.length === 0) {
      const known = await allNames();
      return notFound(`No artifact was published as "${name}".`, name, known, 'Published names');
    }
    const aliases = (await currentAliases(name)).map(({ alias }) => alias);
    return notFound(
      `"${name}" has no version or alias "${wanted}": its versions are 1 to ${versions.at(-1)}.`,
      wanted,
      ['latest', ...aliases],
      'Aliases',
    );
  }

  async function find(reference: string): Promise<NameVersion> {
    const { name, wanted } = parse(reference);
    let found: NameVersion | undefined;
    if (wanted === 'latest') found = await version(name, (await numbers(versionsOf(name))).at(-1));
    else if (/^\d+$/.test(wanted)) found = await version(name, Number(wanted));
    else {
      const folder = `${aliasesOf(name)}/${wanted}`;
      const last = (await numbers(folder)).at(-1);
      const alias = last === undefined ? undefined : await read<NameAlias>(folder, last);
      found = await version(name, alias?.version);
    }
    if (found === undefined) throw await missing(name, wanted);
    return found;
  }

  return {
    async publish(name, ref, { run, expected }) {
      checkName(name);
      for (;;) {
        const latest = (await numbers(versionsOf(name))).at(-1) ?? 0;
        const current = await version(name, latest || undefined);
        // Resuming a run publishes again what it already published.
        if (current?.run === run && current.ref.digest === ref.digest) return current;
        if (expected !== undefined && expected !== latest)
          throw new HourglassError(
            'NAME_CONFLICT',
            `"${name}" was published by run ${current?.run ?? '?'} as version ${latest} in the meantime; expected version ` +
              `${expected} to be the latest. Run again to publish on top of it.`,
            { details: { name, expected, latest } },
          );
        const next: NameVersion = { name, version: latest + 1, ref, run, at: new Date().toISOString() };
        if (await driver.putIfAbsent(entry(versionsOf(name), next.version), encode(next))) return next;
      }
    },

    async resolve(reference) {
      const found = await find(reference);
      if ((await driver.stat(manifestKey(found.ref.digest))) === undefined)
        throw new HourglassError(
          'ARTIFACT_NOT_FOUND',
          `${found.name}@${found.version} was published by run ${found.run}, but its artifact ${found.ref.digest} is no longer in ` +
            `the store ${driver.location}: it was collected. Use a later version, or run its pipeline again.`,
        );
      return found;
    },

    async promote(reference, alias, { by }) {
      checkName(alias);
      if (alias === 'latest')
        throw new HourglassError(
          'CALL_INVALID',
          'The alias "latest" always means the highest version; choose another name.',
        );
      const target = await find(reference);
      const folder = `${aliasesOf(target.name)}/${alias}`;
      for (;;) {
        const n = ((await numbers(folder)).at(-1) ?? 0) + 1;
        const next: NameAlias = { alias, version: target.version, by, at: new Date().toISOString() };
        if (await driver.putIfAbsent(entry(folder, n), encode(next))) return next;
      }
    },

    async history(name) {
      const found = await numbers(versionsOf(name));
      if (found.length === 0) throw await missing(name, 'latest');
      const versions = await mapLimited(found, 8, (n) => version(name, n));
      const aliases: NameAlias[] = [];
      for await (const { key } of driver.list(aliasesOf(name))) {
        const alias = await readKey<NameAlias>(key);
        if (alias !== undefined) aliases.push(alias);
      }
      return {
        versions: versions.filter((v) => v !== undefined),
        aliases: aliases.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
      };
    },

    async list() {
      const summaries = await mapLimited(await allNames(), 4, async (name): Promise<NameSummary | undefined> => {
        const found = await numbers(versionsOf(name));
        const latest = await version(name, found.at(-1));
        return latest && { name, latest, versions: found.length, aliases: await currentAliases(name) };
      });
      return summaries.filter((summary) => summary !== undefined);
    },
  };
}

const entry = (folder: string, n: number): string => `${folder}/${String(n).padStart(8, '0')}.json`;
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function parse(reference: string): { name: string; wanted: string } {
  const at = reference.lastIndexOf('@');
  const name = at < 0 ? reference : reference.slice(0, at);
  const wanted = at < 0 ? 'latest' : reference.slice(at + 1);
  checkName(name);
  if (!/^\d+$/.test(wanted)) checkName(wanted);
  return { name, wanted };
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new HourglassError(
    'CALL_INVALID',
    `Expected a name of letters, digits, "_", "-" and "." beginning with a letter (name, name@3 or name@alias), found "${name.slice(0, 80)}".`,
  );
}

function notFound(problem: string, wanted: string, known: string[], label: string): HourglassError {
  const near = nearNames(wanted, known);
  const hint = near.length > 0 ? ` Did you mean ${near.map((name) => `"${name}"`).join(' or ')}?` : '';
  return new HourglassError('NAME_NOT_FOUND', `${problem}${hint} ${label}: ${firstNames(known, 10) || 'none'}.`, {
    details: { near },
  });
}
