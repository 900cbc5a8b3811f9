import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporalSettings } from '@hourglass/activities';
import { ERROR_CODES } from '@hourglass/core';
import { SEARCH_ATTRIBUTES } from '@hourglass/workflows';
import { parser } from '@prometheus-io/lezer-promql';
import { parse as parseToml } from 'smol-toml';
import { expect, it, onTestFinished } from 'vitest';
import { filesBelow, helpOf, read, repository, sources, workerMetrics, yaml } from './files.ts';

interface Rule {
  alert: string;
  expr: string;
  annotations: Record<string, string>;
}

const rules: Rule[] = yaml('compose/prometheus/alerts.yml')[0].groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
const dashboard = JSON.parse(read('compose/grafana/dashboards/hourglass.json'));
const dashboardQueries: string[] = dashboard.panels.flatMap(({ targets }: any) => targets.map(({ expr }: any) => expr));

/** What Prometheus would refuse, by its own grammar. */
function mistakesOf(query: string): string[] {
  const found: string[] = [];
  parser.parse(query.replaceAll('$__rate_interval', '5m')).iterate({
    enter: ({ type, from, to }) => void (type.isError && found.push(query.slice(Math.max(0, from - 20), to + 20))),
  });
  return found;
}

it('asks Prometheus in its own language, for metrics that workers have', () => {
  expect(mistakesOf('sum by (a (rate(x[5m]))')).not.toEqual([]);
  const metrics = workerMetrics();
  expect(metrics.size).toBeGreaterThan(40);
  const queries = [...rules.map(({ expr }) => expr), ...dashboardQueries];
  expect(queries.length).toBeGreaterThan(20);
  for (const query of queries) {
    expect(mistakesOf(query), query).toEqual([]);
    for (const [, name] of query.matchAll(/\btemporal_([a-z_]+)/g))
      expect(metrics, query).toContain(name!.replace(/_(bucket|count|sum)$/, ''));
    for (const [name] of query.matchAll(/\bhourglass_[a-z_]+/g)) expect(sources(), query).toContain(`'${name}'`);
  }
  const labels = new Set(
    queries.flatMap((query) => [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names]) => names!.split(/,\s*/))),
  );
  const known = ['le', 'instance', 'namespace', 'task_queue', 'activity_type', 'workflow_type'];
  expect([...labels].filter((label) => !known.includes(label))).toEqual([]);
});

it('leads from every alert to a runbook, and has no runbook that nothing leads to', () => {
  const named = rules.map(({ annotations }) => annotations.runbook!);
  for (const path of named) expect(read(path)).toMatch(/^# .+\n\n\*\*What people see\.\*\*/);
  expect(filesBelow('runbooks').filter((path) => !named.includes(path))).toEqual([]);
});

it('tells people commands, codes, variables, attributes and files that exist', async () => {
  const code = sources();
  const texts = ['README.md', ...filesBelow('runbooks')].map((path) => [path, read(path)] as const);
  let commands = 0;
  for (const [path, text] of texts) {
    for (const [, words] of text.matchAll(/`hourglass ([a-z][a-z -]*)/g)) {
      commands++;
      expect(
        await helpOf(
          words!
            .trim()
            .split(' ')
            .filter((word) => !word.startsWith('-')),
        ),
        `${path}: ${words}`,
      ).toBeDefined();
    }
    for (const [, name] of text.matchAll(/`((?:HOURGLASS|AWS|TEMPORAL)_[A-Z0-9_]+[A-Z0-9])`/g))
      expect(code, path).toContain(name);
    for (const [, name] of text.matchAll(/`([A-Z]+_[A-Z_]+)`/g))
      if (!/^(HOURGLASS|AWS|TEMPORAL)_/.test(name!) && !name!.endsWith('_'))
        expect(Object.keys(ERROR_CODES), path).toContain(name);
    for (const [, name] of text.matchAll(/`(Hourglass[A-Z]\w+)`/g))
      expect(Object.keys(SEARCH_ATTRIBUTES), path).toContain(name);
    for (const [, target] of text.matchAll(/\]\(((?!https?:)[^)#]+)/g))
      expect(() => readFileSync(join(repository, 'infra', path, '..', target!)), `${path}: ${target}`).not.toThrow(
        'ENOENT',
      );
  }
  expect(commands).toBeGreaterThan(5);
});

it('has dashboard panels of their own place and name, on the data source that is provided', () => {
  const [{ datasources }] = yaml('compose/grafana/provisioning/datasources/prometheus.yaml');
  const places = dashboard.panels.map(({ gridPos }: any) => `${gridPos.x} ${gridPos.y}`);
  expect(new Set(places).size).toBe(places.length);
  for (const { datasource, title, description } of dashboard.panels) {
    expect(datasource.uid).toBe(datasources[0].uid);
    expect(title && description).toBeTruthy();
  }
});

it('has profiles in temporal.toml.example that the worker reads', () => {
  const text = read('temporal.toml.example');
  const folder = mkdtempSync(join(tmpdir(), 'hourglass-toml-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'any.pem'), 'pem');
  const file = join(folder, 'temporal.toml');
  writeFileSync(file, text.replace(/"\/etc\/hourglass\/tls\/[^"]+"/g, JSON.stringify(join(folder, 'any.pem'))));
  const { profile } = parseToml(text) as unknown as { profile: Record<string, { address: string; namespace: string }> };
  expect(Object.keys(profile)).toEqual(['default', 'production', 'cloud']);
  for (const [name, { address, namespace }] of Object.entries(profile)) {
    const settings = temporalSettings({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: name });
    expect(settings).toMatchObject({ address, namespace });
    expect(Boolean(settings.connection.tls), name).toBe(name !== 'default');
  }
});

it('builds images on pinned Debian that run as nobody special, with flags of the command', async () => {
  const help = await helpOf(['worker']);
  for (const path of filesBelow('docker')) {
    const text = read(path);
    for (const [, image] of text.matchAll(/^FROM (\S+)/gm))
      expect(image, path).toMatch(/^(node:\d+\.\d+\.\d+-bookworm(-slim)?|\$\{BASE\})$/);
    const last = text.slice(text.lastIndexOf('\nFROM '));
    if (path.includes('cpu')) expect(last).toMatch(/^USER node$/m);
    else expect(last).not.toMatch(/^USER /m);
    for (const [flag] of last.slice(last.indexOf('CMD ["worker"')).matchAll(/--[a-z-]+/g)) expect(help).toContain(flag);
  }
});
