import { posix } from 'node:path';
import { describeStage, type PluginManifest, type StageManifest } from '@hourglass/core';
import { prose, withoutCode } from '../broken-links.ts';

/** A plugin and what is written about it. */
export interface PluginSource {
  manifest: PluginManifest;
  packageName: string;
  /** Folder of its package from the root of the repository. */
  folder: string;
  /** Text of its README. */
  readme: string;
}

/** A pipeline of the library: its file from the root of the repository, and its text. */
export interface PipelineSource {
  file: string;
  text: string;
}

/** Folder the pages stand in. */
export const PAGES = 'docs/plugins';

/**
 * A page a plugin, by file name: what its README says, then every stage as its manifest declares it, so that a page
 * cannot say other than the code does. And an index, `README.md`.
 */
export function pluginPages(
  plugins: readonly PluginSource[],
  pipelines: readonly PipelineSource[],
): Record<string, string> {
  const sorted = [...plugins].sort((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1));
  return {
    'README.md': index(sorted),
    ...Object.fromEntries(sorted.map((plugin) => [`${plugin.manifest.name}.md`, page(plugin, pipelines)])),
  };
}

const WRITTEN = '_Written by `npm run generate` from the manifest and the README of each plugin._';

function index(plugins: readonly PluginSource[]): string {
  const rows = plugins.map(({ manifest: { name, summary, stages } }) => {
    const links = Object.values(stages).map(({ id }) => `[${id.slice(name.length + 1)}](${name}.md#${anchorOf(id)})`);
    return `| [${name}](${name}.md) | ${cell(summary)} | ${links.join(' · ')} |`;
  });
  return `# Plugins

What is shipped. \`hourglass plugins\` lists what is installed where you are, others' plugins too;
[how to write one](../write-a-plugin.md).

| plugin | what it is for | stages |
| --- | --- | --- |
${rows.join('\n')}

${WRITTEN}
`;
}

function page({ manifest, packageName, folder, readme }: PluginSource, pipelines: readonly PipelineSource[]): string {
  const { name, summary, stages } = manifest;
  const users = pipelines.filter(({ text }) => new RegExp(`\\buses:\\s*['"]?${name}/`).test(text));
  const library = users.map(({ file }) => `[${posix.basename(file, '.yaml')}](${posix.relative(PAGES, file)})`);
  const sections = sectionsOf(relinked(readme, folder));
  const errors = sections.findIndex(({ title }) => title === 'Errors');
  const at = errors < 0 ? sections.length : errors;
  const body = (some: typeof sections): string => some.map(({ text }) => text.trim()).join('\n\n');
  return `# ${name}

${cell(summary)}. Package [${packageName}](${posix.relative(PAGES, posix.join(folder, 'README.md'))}) ·
[all plugins](README.md)${library.length > 0 ? `\n\nPipelines that use it and run as they stand: ${library.join(' · ')}` : ''}

${body(sections.slice(0, at))}

## Every stage

${Object.values(stages).map(stageText).join('\n\n')}

${body(sections.slice(at))}

${WRITTEN}
`;
}

function stageText(stage: StageManifest): string {
  const { traits, inputs, outputs, options } = describeStage(stage);
  const ports = [
    ...inputs.map((port) => ['input', port] as const),
    ...outputs.map((port) => ['output', port] as const),
  ].map(([side, { name, kind, description }]) => `| ${side} | \`${name}\` | ${cell(kind)} | ${cell(description)} |`);
  const rows = options.map(({ name, type, preset, required, use, description }) => {
    const fallback = required ? '**required**' : preset === undefined ? '' : code(JSON.stringify(preset));
    const meaning = [cell(description), use ? `(${use})` : ''].filter(Boolean).join(' ');
    return `| \`${name}\` | ${cell(type)} | ${fallback} | ${meaning} |`;
  });
  return [
    `### ${stage.id}`,
    `${cell(stage.summary)}. _${traits.join(' · ')}_`,
    ...(ports.length > 0 ? [`| | name | kind | meaning |\n| --- | --- | --- | --- |\n${ports.join('\n')}`] : []),
    ...(rows.length > 0
      ? [`| option | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}`]
      : []),
  ].join('\n\n');
}

/** Second-level sections of a README, what stands before the first left out. */
function sectionsOf(readme: string): { title: string; text: string }[] {
  const lines = readme.split('\n');
  const heads = [...prose(readme)].filter(({ text }) => /^## /.test(text));
  return heads.map(({ line, text }, i) => ({
    title: text.slice(3).trim(),
    text: lines.slice(line - 1, heads[i + 1] ? heads[i + 1]!.line - 1 : undefined).join('\n'),
  }));
}

/** Links of a file in `folder` as they are from the pages' folder. Code is left as it is. */
function relinked(text: string, folder: string): string {
  const lines = text.split('\n');
  for (const { line, text: full } of prose(text))
    lines[line - 1] = full.replace(/\]\(([^\s)]+)\)/g, (all, target: string, at: number) => {
      const isCode = !withoutCode(full).startsWith(all, at);
      if (isCode || /^([a-z][a-z+.-]*:|#)/i.test(target)) return all;
      return `](${posix.relative(PAGES, posix.join(folder, target))})`;
    });
  return lines.join('\n');
}

const anchorOf = (id: string): string => id.toLowerCase().replaceAll('/', '');

/** Text as a cell of a table: what would end the cell or begin markup is text. */
const cell = (text: string): string => text.replace(/[|<>*[\]]/g, '\\$&').replace(/\s*\n\s*/g, ' ');

/** Code in a cell, where only the bar must be marked. */
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;
