import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEditor, type Editor } from './support/language-server.ts';
import { makeWorkspace, type Workspace } from './support/workspace.ts';

// What `hourglass schema` writes, used by the YAML language server that editors run.

const head = '# yaml-language-server: $schema=./pipeline.schema.json\nhourglass: v1\nname: mine\nstages:\n';
const train = `${head}  train:\n    uses: imputation/train\n`;

let w: Workspace;
let editor: Editor;
beforeAll(async () => {
  w = makeWorkspace();
  expect((await w.call(['schema', '-o', 'pipeline.schema.json'])).code).toBe(0);
  editor = await openEditor(w.dir);
});
afterAll(async () => {
  await editor?.close();
  w.remove();
});

describe('an editor with the schema of the installed plugins', () => {
  it('offers every stage with what it does, of plugins from elsewhere too', async () => {
    const offered = await editor.complete('uses.yaml', `${head}  train:\n    uses: ▮\n`);
    const said = new Map(offered.map(({ label, documentation }) => [label, documentation]));
    expect(said.get('imputation/train')).toBe('Learn to fill missing cells');
    expect(said.get('toy/work')).toBe('Counts to a number, slowly');
    expect(said.get('data/ingest')).toMatch(/Parquet/);
  });

  it('offers inputs and options of the stage that is used, not of others, each once', async () => {
    const offered = await editor.complete('with.yaml', `${train}    with:\n      ▮\n`);
    const labels = offered.map(({ label }) => label);
    expect(labels).toEqual(expect.arrayContaining(['data', 'latentDim', 'maskRate']));
    expect(labels).not.toContain('uri');
    expect(new Set(labels).size).toBe(labels.length);
    const toy = await editor.complete('toy.yaml', `${head}  a:\n    uses: toy/work\n    with:\n      ▮\n`);
    expect(toy.map(({ label }) => label)).toEqual(expect.arrayContaining(['model', 'steps', 'delay', 'fail']));
  });

  it('offers the values of an option, and the keys of a stage, each once and explained', async () => {
    const values = await editor.complete('values.yaml', `${train}    with:\n      skip: ▮\n`);
    expect(values.map(({ label }) => label).sort()).toEqual(['gaussian', 'linear', 'none']);
    const keys = await editor.complete('keys.yaml', `${train}    ▮\n`);
    expect(keys.map(({ label }) => label).sort()).toEqual([...new Set(keys.map(({ label }) => label))].sort());
    for (const key of ['with', 'when', 'forEach', 'sweep', 'gate', 'approve', 'onFailure', 'timeout', 'retry', 'cache'])
      expect(keys.find(({ label }) => label === key)?.documentation, key).toMatch(/\w+ \w+/);
  });

  it('explains what the mouse is on: stage, key, input, option with type and default', async () => {
    const hover = (text: string): Promise<string> => editor.hover(`hover${text.length}.yaml`, text);
    expect(await hover(`${head}  a:\n    uses: imputation/tr▮ain\n`)).toContain('Learn to fill missing cells');
    expect(await hover(`${train}    ga▮te: metrics.loss < 1\n`)).toContain('The run fails unless');
    expect(await hover(`${train}    with:\n      da▮ta: x\n`)).toMatch(/dataset/);
    expect(await hover(`${train}    with:\n      lat▮entDim: 8\n`)).toMatch(
      /Size of the latent, d\.\s+integer from 1 to 4096, default 16/,
    );
    expect(await hover(`${head}  a:\n    uses: toy/work\n    with:\n      st▮eps: 8\n`)).toContain('How far to count');
  });

  it('finds nothing wrong with the pipelines of the library', async () => {
    const library = new URL('../../../../workflows/pipelines/', import.meta.url);
    const names = readdirSync(library).filter((name) => name.endsWith('.yaml'));
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) {
      copyFileSync(new URL(name, library), join(w.dir, name));
      const text = readFileSync(join(w.dir, name), 'utf8').replace(/\$schema=\S+/, '$schema=./pipeline.schema.json');
      expect(text, name).toContain('$schema=./pipeline.schema.json');
      expect(await editor.diagnostics(name, text), name).toEqual([]);
    }
  });

  it.each<[string, string, number, RegExp]>([
    ['a stage that is not there', '  a: { uses: imputation/tran }\n', 5, /imputation\/train/],
    ['an option that is not there', '  a: { uses: toy/work, with: { stepz: 3 } }\n', 5, /stepz is not allowed/],
    ['a value out of range', '  a: { uses: toy/work, with: { steps: 0 } }\n', 5, /below the minimum of 1/],
    ['a value of the wrong type', '  a: { uses: toy/work, with: { steps: many } }\n', 5, /type|expression|pattern/i],
    ['a value that is no choice', '  a: { uses: toy/work, with: { fail: maybe } }\n', 5, /"no", "error", "diverge"/],
    ['an input left out', '  a:\n    uses: toy/write\n    with: { uri: x }\n', 7, /Missing property "model"/],
    ['a key that is not there', '  a:\n    uses: toy/work\n    wen: true\n', 7, /wen is not allowed/],
    ['a name that is none', '  1st: { uses: toy/work }\n', 5, /pattern|name/i],
  ])('marks %s, where it stands', async (what, stages, line, message) => {
    const found = await editor.diagnostics(`${what.replaceAll(' ', '-')}.yaml`, head + stages);
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) expect(each).toEqual({ line, message: expect.stringMatching(message) });
  });

  it('marks what is missing of a file', async () => {
    const [found] = await editor.diagnostics('empty.yaml', head.split('\n').slice(0, 2).join('\n') + '\n');
    expect(found!.message).toMatch(/Missing property "(name|stages)"/);
  });
});
