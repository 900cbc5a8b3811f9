import type { PluginManifest, StageManifest } from '@hourglass/core';
import { ARTIFACT_KINDS } from '@hourglass/core';

const NAME = /^[a-z][a-z0-9-]*$/;
const ID = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * What is wrong with the default export of a plugin package: one line each, `[]` when it can be used. A mistake in one
 * stage makes the whole plugin unusable, since half a plugin would fail later and further away.
 */
export function manifestProblems(exported: unknown): string[] {
  if (typeof exported !== 'object' || exported === null)
    return [
      `expected a plugin manifest as default export (definePlugin({ name, summary, stages })), found ${typeof exported}`,
    ];
  const plugin = exported as Partial<PluginManifest>;
  const problems: string[] = [];
  if (typeof plugin.name !== 'string' || !NAME.test(plugin.name))
    problems.push(`name: expected lower-case letters, digits and "-", found ${JSON.stringify(plugin.name)}`);
  if (typeof plugin.stages !== 'object' || plugin.stages === null)
    return [...problems, 'stages: expected an object of stage manifests'];
  const seen = new Map<string, string>();
  for (const [key, stage] of Object.entries(plugin.stages)) {
    const where = `stage ${plugin.name}/${key}`;
    if (typeof stage !== 'object' || stage === null) {
      problems.push(`${where}: expected a stage manifest (defineStage({…}))`);
      continue;
    }
    const before = seen.get(stage.id);
    if (before !== undefined) problems.push(`${where}: id "${stage.id}" is declared twice, by ${before} as well`);
    else if (stage.id !== `${plugin.name}/${key}`)
      problems.push(`${where}: expected id "${plugin.name}/${key}", found ${JSON.stringify(stage.id)}`);
    seen.set(stage.id, key);
    problems.push(...stageProblems(stage).map((problem) => `${where}: ${problem}`));
  }
  return problems;
}

function stageProblems(stage: StageManifest): string[] {
  const problems: string[] = [];
  if (!Number.isInteger(stage.version) || stage.version < 1)
    problems.push(`version: expected an integer from 1, found ${JSON.stringify(stage.version)}`);
  const shape = (stage.options as { shape?: Record<string, unknown> } | undefined)?.shape;
  if (typeof shape !== 'object' || shape === null) return [...problems, 'options: expected z.object({…})'];
  for (const side of ['inputs', 'outputs'] as const) {
    if (typeof stage[side] !== 'object' || stage[side] === null) {
      problems.push(`${side}: expected an object of artifact types`);
      continue;
    }
    for (const [name, type] of Object.entries(stage[side])) {
      if (!ID.test(name))
        problems.push(`${side}.${name}: expected a name of letters, digits and "_", which expressions can use`);
      if (!ARTIFACT_KINDS.includes(type?.kind))
        problems.push(
          `${side}.${name}: expected a kind of ${ARTIFACT_KINDS.join(', ')}, found ${JSON.stringify(type?.kind)}`,
        );
      if (side === 'outputs' && type?.kind === 'metrics' && type.schema === undefined)
        problems.push(
          `outputs.${name}: metrics need a schema (artifact.metrics(z.object({…}))), gates are checked against it`,
        );
    }
  }
  for (const name of Object.keys(stage.inputs ?? {}))
    if (name in shape)
      problems.push(`"${name}" is both an input and an option; "with:" holds both, so names must differ`);
  for (const list of ['sources', 'sinks'] as const)
    for (const name of stage[list] ?? [])
      if (!(name in shape))
        problems.push(
          `${list} names "${name}", which is no option; options are ${Object.keys(shape).join(', ') || 'none'}`,
        );
  return problems;
}
