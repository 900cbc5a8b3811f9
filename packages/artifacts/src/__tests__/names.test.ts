import { describe, expect, test } from 'vitest';
import { openStore, storeOn } from '../open-store.ts';
import { memoryDriver } from './support/memory-driver.ts';
import { putModel } from './support/samples.ts';
import { tempFolder } from './support/temp-folder.ts';

const places = [
  ['folder', () => openStore(tempFolder())],
  ['remote', () => storeOn(memoryDriver())],
] as const;

describe.each(places)('names in a %s', (_place, open) => {
  test('versions count from 1 and resolve by number, latest and alias', async () => {
    const store = await open();
    const a = (await putModel(store, 'a')).ref;
    const b = (await putModel(store, 'b')).ref;
    expect(await store.names.publish('imputer', a, { run: 'r1' })).toMatchObject({ version: 1, ref: a, run: 'r1' });
    expect(await store.names.publish('imputer', b, { run: 'r2' })).toMatchObject({ version: 2 });
    expect((await store.names.resolve('imputer')).version).toBe(2);
    expect((await store.names.resolve('imputer@latest')).ref).toEqual(b);
    expect((await store.names.resolve('imputer@1')).ref).toEqual(a);
    await store.names.promote('imputer@1', 'champion', { by: 'ada' });
    expect((await store.names.resolve('imputer@champion')).version).toBe(1);
    await store.names.promote('imputer@latest', 'champion', { by: 'ada' });
    expect((await store.names.resolve('imputer@champion')).version).toBe(2);
    const history = await store.names.history('imputer');
    expect(history.versions.map((v) => [v.version, v.run])).toEqual([
      [1, 'r1'],
      [2, 'r2'],
    ]);
    expect(history.aliases.map((alias) => [alias.alias, alias.version, alias.by])).toEqual([
      ['champion', 1, 'ada'],
      ['champion', 2, 'ada'],
    ]);
    expect(await store.names.list()).toMatchObject([
      { name: 'imputer', versions: 2, latest: { version: 2 }, aliases: [{ alias: 'champion', version: 2 }] },
    ]);
  });

  test('a run that publishes the same again gets the version it has', async () => {
    const store = await open();
    const { ref } = await putModel(store, 'a');
    await store.names.publish('x', ref, { run: 'r1' });
    expect((await store.names.publish('x', ref, { run: 'r1' })).version).toBe(1);
    expect((await store.names.publish('x', ref, { run: 'r2' })).version).toBe(2);
  });

  test('of publishers at once none is lost, and versions have no gap', async () => {
    const store = await open();
    const { ref } = await putModel(store, 'a');
    const runs = Array.from({ length: 12 }, (_, i) => `run ${i}`);
    const published = await Promise.all(runs.map((run) => store.names.publish('x', ref, { run })));
    expect(published.map(({ version }) => version).sort((a, b) => a - b)).toEqual(runs.map((_, i) => i + 1));
    const { versions } = await store.names.history('x');
    expect(versions.map(({ run }) => run).sort()).toEqual([...runs].sort());
  });

  test('who expected another version to be the latest is told of the other run', async () => {
    const store = await open();
    const { ref } = await putModel(store, 'a');
    await store.names.publish('x', ref, { run: 'first', expected: 0 });
    const late = store.names.publish('x', ref, { run: 'second', expected: 0 });
    await expect(late).rejects.toMatchObject({ code: 'NAME_CONFLICT' });
    await expect(store.names.publish('x', ref, { run: 'second', expected: 0 })).rejects.toThrow(
      'by run first as version 1',
    );
    expect((await store.names.history('x')).versions).toHaveLength(1);
  });

  test('what does not exist: near names, versions and aliases are offered', async () => {
    const store = await open();
    const { ref } = await putModel(store, 'a');
    await expect(store.names.resolve('x')).rejects.toThrow('Published names: none');
    await store.names.publish('wdbc_imputer', ref, { run: 'r' });
    await store.names.promote('wdbc_imputer', 'champion', { by: 'ada' });
    await expect(store.names.resolve('wdbc_impute')).rejects.toMatchObject({ code: 'NAME_NOT_FOUND' });
    await expect(store.names.resolve('wdbc_impute')).rejects.toThrow('Did you mean "wdbc_imputer"?');
    await expect(store.names.resolve('wdbc_imputer@9')).rejects.toThrow('its versions are 1 to 1');
    await expect(store.names.resolve('wdbc_imputer@champoin')).rejects.toThrow('Did you mean "champion"?');
    await expect(store.names.history('nothing')).rejects.toMatchObject({ code: 'NAME_NOT_FOUND' });
  });

  test('names that would leave their folder, and "latest" as an alias, are refused', async () => {
    const store = await open();
    const { ref } = await putModel(store, 'a');
    for (const name of ['../x', 'a/b', '', '.hidden', 'x y'])
      await expect(store.names.publish(name, ref, { run: 'r' })).rejects.toMatchObject({ code: 'CALL_INVALID' });
    await store.names.publish('x', ref, { run: 'r' });
    await expect(store.names.promote('x@1', 'latest', { by: 'ada' })).rejects.toMatchObject({ code: 'CALL_INVALID' });
    await expect(store.names.promote('x@1', '3', { by: 'ada' })).rejects.toMatchObject({ code: 'CALL_INVALID' });
  });
});
