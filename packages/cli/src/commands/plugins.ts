import { describeStage, HourglassError, nearNames, type PluginManifest, type StageManifest } from '@hourglass/core';
import { z } from 'zod';
import type { CliContext } from '../context.ts';
import { loadPlugins } from '../load-plugins.ts';
import { plural } from '../output/format.ts';
import { formatTable } from '../output/table.ts';
import { wrap } from '../output/text-width.ts';

/** `hourglass plugins` */
export async function list(context: CliContext, options: { json?: boolean }): Promise<void> {
  const { plugins, problems } = await loadPlugins(context);
  const { stdout, colors: c } = context;
  if (options.json) {
    const entries = plugins.map((plugin) => ({
      name: plugin.manifest.name,
      summary: plugin.manifest.summary,
      package: plugin.packageName,
      version: plugin.packageVersion,
      root: plugin.root,
      stages: Object.values(plugin.manifest.stages).map(({ id, summary }) => ({ id, summary })),
    }));
    stdout.write(`${JSON.stringify({ plugins: entries, problems })}\n`);
    return;
  }
  if (plugins.length === 0) {
    stdout.write(
      'No plugins are installed. A plugin is a package with the keyword hourglass-plugin: npm install NAME\n',
    );
    return;
  }
  for (const { manifest, packageName, packageVersion } of plugins) {
    stdout.write(`${c.bold(manifest.name)}  ${c.dim(`${packageName} ${packageVersion}`)}\n  ${manifest.summary}\n`);
    const rows = Object.values(manifest.stages).map(({ id, summary }) => [c.cyan(id), summary]);
    const columns = [{ title: '' }, { title: '', shrink: true, minimum: 30 }];
    stdout.write(`${formatTable(columns, rows, { width: stdout.columns, indent: '    ' }).join('\n')}\n\n`);
  }
  stdout.write(c.dim('hourglass plugins show NAME: options, inputs and outputs of a plugin or a stage\n'));
}

/** `hourglass plugins show NAME` */
export async function show(context: CliContext, name: string, options: { json?: boolean }): Promise<void> {
  const { plugins, registry } = await loadPlugins(context);
  const stages = stagesNamed(name, registry);
  if (options.json) {
    context.stdout.write(`${JSON.stringify(stages.map(stageJson))}\n`);
    return;
  }
  const { stdout, colors: c } = context;
  const plugin = plugins.find(({ manifest }) => manifest.name === name);
  if (plugin)
    stdout.write(
      `${c.bold(name)}  ${c.dim(`${plugin.packageName} ${plugin.packageVersion}`)}\n${plugin.manifest.summary}\n${c.dim(plugin.root)}\n\n`,
    );
  stdout.write(`${stages.map((stage) => stageText(context, stage)).join('\n\n')}\n`);
}

function stagesNamed(name: string, registry: ReadonlyMap<string, PluginManifest>): StageManifest[] {
  const plugin = registry.get(name);
  if (plugin) return Object.values(plugin.stages);
  const all = [...registry.values()].flatMap((manifest) => Object.values(manifest.stages));
  const stage = all.find(({ id }) => id === name);
  if (stage) return [stage];
  const candidates = [...registry.keys(), ...all.map(({ id }) => id)];
  // `train` alone: every plugin's.
  const near = [...nearNames(name, candidates), ...all.map(({ id }) => id).filter((id) => id.endsWith(`/${name}`))];
  throw new HourglassError(
    'STAGE_NOT_FOUND',
    `No plugin or stage "${name}" is installed.${near.length ? ` Did you mean ${[...new Set(near)].join(' or ')}?` : ` Installed: ${[...registry.keys()].join(', ')}.`}`,
  );
}

function stageJson(stage: StageManifest): Record<string, unknown> {
  return {
    id: stage.id,
    version: stage.version,
    summary: stage.summary,
    inputs: Object.fromEntries(Object.entries(stage.inputs).map(([key, { schema: _, ...type }]) => [key, type])),
    outputs: Object.fromEntries(
      Object.entries(stage.outputs).map(([key, { schema, ...type }]) => [
        key,
        { ...type, ...(schema ? { schema: toSchema(schema, 'output') } : {}) },
      ]),
    ),
    options: toSchema(stage.options, 'input'),
    resources: stage.resources ?? {},
    sources: stage.sources ?? [],
    sinks: stage.sinks ?? [],
  };
}

const toSchema = (schema: z.ZodType, io: 'input' | 'output'): unknown =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any' });

function stageText(context: CliContext, stage: StageManifest): string {
  const { colors: c, stdout } = context;
  const width = Math.min(stdout.columns ?? 100, 110);
  const lines = [`${c.bold(c.cyan(stage.id))}  ${stage.summary}`];
  const { traits, options, ...sides } = describeStage(stage);
  lines.push(c.dim(`  ${traits.join(' · ')}`));
  for (const side of ['inputs', 'outputs'] as const) {
    const rows = sides[side].map(({ name, kind, description }) => [name, kind, description]);
    if (rows.length === 0) continue;
    lines.push(`  ${side}`);
    const columns = [{ title: '' }, { title: '' }, { title: '', shrink: true, minimum: 20 }];
    lines.push(...formatTable(columns, rows, { width, indent: '    ' }));
  }
  if (options.length > 0) lines.push('  options');
  for (const { name, type, preset, required, use, description } of options) {
    const fallback = preset === undefined ? '' : ` ${c.dim(`= ${JSON.stringify(preset)}`)}`;
    const marks = `${required ? c.yellow(' required') : ''}${use ? c.dim(` (${use})`) : ''}`;
    lines.push(`    ${c.cyan(name)}  ${type}${fallback}${marks}`);
    if (description) lines.push(...wrap(description, width - 8).map((line) => `        ${line}`));
  }
  return lines.join('\n');
}

/** Counts for `doctor`. */
export const countStages = (plugins: PluginManifest[]): string =>
  `${plural(plugins.length, 'plugin')}, ${plural(
    plugins.reduce((n, p) => n + Object.keys(p.stages).length, 0),
    'stage',
  )}`;
