import { z } from 'zod';
import type { PluginManifest, StageManifest } from '@hourglass/core';

import { expectThat } from '../check.ts';

/** A property of a plugin's declarations, for one of its stages. */
export interface ManifestCheck {
  title: string;
  run(plugin: PluginManifest, name: string, stage: StageManifest): void;
}

/** Values no option of that JSON type accepts. */
const wrong = (schema: z.core.JSONSchema.BaseSchema): unknown =>
  schema.type === 'string' || schema.enum ? { wrong: true } : 'not-a-value-of-this-option\u0000';

const fieldsOf = (stage: StageManifest) =>
  Object.entries(z.toJSONSchema(stage.options, { io: 'input', unrepresentable: 'any' }).properties ?? {}) as [
    string,
    z.core.JSONSchema.BaseSchema,
  ][];

/** What editors, docs and the checker of pipelines rely on. */
export const manifestChecks: ManifestCheck[] = [
  {
    title: 'has the id PLUGIN/STAGE and a summary',
    run(plugin, name, stage) {
      const id = `${plugin.name}/${name}`;
      expectThat(stage.id === id, `expected id ${id}, found ${stage.id}`);
      expectThat(stage.summary.trim().length > 0, `${id}: expected a summary`);
    },
  },
  {
    title: 'describes every option',
    run(_plugin, _name, stage) {
      const bare = fieldsOf(stage).filter(([, schema]) => !schema.description);
      expectThat(bare.length === 0, `options without .describe(): ${bare.map(([name]) => name).join(', ')}`);
    },
  },
  {
    title: 'names the option that has a wrong value',
    run(_plugin, _name, stage) {
      for (const [name, schema] of fieldsOf(stage)) {
        const result = stage.options.safeParse({ [name]: wrong(schema) });
        const named = !result.success && result.error.issues.some((issue) => issue.path[0] === name);
        expectThat(named, `option ${name}: expected an issue at ["${name}"] for a value of a wrong type, found none`);
      }
    },
  },
  {
    title: 'uses no name for both an input and an option',
    run(_plugin, _name, stage) {
      const both = fieldsOf(stage).filter(([name]) => name in stage.inputs);
      expectThat(both.length === 0, `both input and option: ${both.map(([name]) => name).join(', ')}`);
    },
  },
  {
    title: 'names options that exist as sources and sinks',
    run(_plugin, _name, stage) {
      const options = new Set(fieldsOf(stage).map(([name]) => name));
      const absent = [...(stage.sources ?? []), ...(stage.sinks ?? [])].filter((name) => !options.has(name));
      expectThat(absent.length === 0, `sources or sinks that are no options: ${absent.join(', ')}`);
    },
  },
];
