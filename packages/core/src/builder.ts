import { stringify } from 'yaml';
import type { ArtifactType } from './artifact.ts';
import type { z } from 'zod';
import type { SourceText } from './document.ts';
import type { Json } from './plan.ts';
import type { StageManifest } from './stage.ts';

declare const type: unique symbol;

/** An expression of a known type, `"${{ … }}"` in the document. */
export interface Expr<T> {
  readonly expression: string;
  readonly [type]?: T;
}

/** Stands for an output of a stage. */
export interface OutputRef<A extends ArtifactType = ArtifactType> extends Expr<A> {
  readonly output: string;
}

/** A CEL expression in a value: ``expr<number>`params.rate * 2.0` ``, or `expr('params.rate')`. */
export function expr<T = Json>(text: string): Expr<T> {
  return { expression: text };
}

/** `named("model@latest")` as an input. */
export function namedArtifact<A extends ArtifactType = never>(name: string): OutputRef<A> {
  return { expression: `named(${JSON.stringify(name)})`, output: name };
}

/** The first of these that exists. */
export function firstOf<R extends OutputRef<never> | OutputRef>(...refs: R[]): R {
  return { expression: `first(${refs.map((one) => one.expression).join(', ')})`, output: '' } as R;
}

type Kind<A> = A extends { kind: infer K; application?: infer P } ? { kind: K; application?: P } : never;
type Accepts<A extends ArtifactType> =
  OutputRef<ArtifactType & Kind<A>> | (Expr<unknown> & { readonly output?: undefined });
type Optional<I> = {
  [K in keyof I as I[K] extends { optional: true } ? K : never]?: I[K] extends ArtifactType ? Accepts<I[K]> : never;
};
type Required<I> = {
  [K in keyof I as I[K] extends { optional: true } ? never : K]: I[K] extends ArtifactType ? Accepts<I[K]> : never;
};
type WithExpressions<T> = { [K in keyof T]: T[K] | Expr<unknown> };

/** `with` of a stage: its inputs as refs, its options as values or expressions. */
export type With<M extends StageManifest> = Required<M['inputs']> &
  Optional<M['inputs']> &
  WithExpressions<z.input<M['options']>>;

/** The other keys of a stage, as in the file. */
export interface StageSettings {
  needs?: (string | StageHandle)[];
  when?: string;
  onSkipped?: 'skip' | 'run';
  forEach?: { in: Expr<unknown> | Json[]; as?: string; maxParallel?: number; failureBudget?: number | string };
  sweep?: {
    as?: string;
    matrix?: Record<string, Json[] | Expr<unknown>>;
    values?: Json[] | Expr<unknown>;
    select?: { metric: string; mode?: 'min' | 'max' };
    until?: string;
    maxParallel?: number;
  };
  gate?: string;
  approve?: boolean | { timeout?: string; onTimeout?: 'reject' | 'approve'; message?: string };
  onFailure?: 'fail' | { wait: string };
  resources?: { accelerator?: 'none' | 'preferred' | 'required'; memory?: string | number };
  timeout?: string | { attempt?: string; heartbeat?: string };
  retry?: number | { maxAttempts?: number; initialInterval?: string; coefficient?: number; maxInterval?: string };
  cache?: boolean;
  title?: string;
}

/** A stage already written; its outputs are refs. */
export interface StageHandle<O extends Record<string, ArtifactType> = Record<string, ArtifactType>> {
  readonly id: string;
  readonly outputs: { readonly [K in keyof O]: OutputRef<O[K] & ArtifactType> };
}

export interface PipelineSettings {
  name: string;
  title?: string;
  engine?: string;
  seed?: number;
  params?: Record<string, Json>;
  schedule?: {
    cron: string;
    timezone?: string;
    overlap?: 'skip' | 'buffer' | 'allow';
    catchupWindow?: string;
    params?: Record<string, Json>;
  };
}

/** Writes stages: of the pipeline, or of a group. */
export interface StageWriter {
  stage<M extends StageManifest>(
    id: string,
    manifest: M,
    inputs: With<M>,
    settings?: StageSettings,
  ): StageHandle<M['outputs']>;
  /** Stages written by `build`, whose result names the group's outputs. */
  group<O extends Record<string, OutputRef>>(
    id: string,
    build: (inside: StageWriter) => O,
    settings?: StageSettings,
  ): { readonly id: string; readonly outputs: { readonly [K in keyof O]: O[K] } };
}

export interface PipelineBuilder extends StageWriter {
  publish(name: string, ref: OutputRef): PipelineBuilder;
  /** The document as plain values. */
  toDocument(): Record<string, Json>;
  toYaml(): string;
  /** For `compile`. */
  toSource(file?: string): SourceText;
}

/** Writes the same document as a YAML file, with types: kinds of inputs and names of options are checked by TypeScript. */
export function pipeline(settings: PipelineSettings): PipelineBuilder {
  const stages: Record<string, Json> = {};
  const published: Record<string, Json> = {};
  const builder: PipelineBuilder = {
    ...writer(stages),
    publish(name, ref) {
      published[name] = plain(ref);
      return builder;
    },
    toDocument() {
      const { name, ...rest } = settings;
      const document: Record<string, Json> = {
        hourglass: 'v1',
        name,
        ...(plain(rest) as Record<string, Json>),
        stages,
      };
      if (Object.keys(published).length > 0) document.publish = published;
      return document;
    },
    toYaml: () => stringify(builder.toDocument(), { lineWidth: 0 }),
    toSource: (file = `${settings.name}.yaml`) => ({ text: builder.toYaml(), file }),
  };
  return builder;
}

function writer(stages: Record<string, Json>): StageWriter {
  const handle = (id: string, names: string[]): StageHandle => ({
    id,
    outputs: Object.fromEntries(names.map((name) => [name, { expression: `stages.${id}.${name}`, output: name }])),
  });
  return {
    stage(id, manifest, inputs, settings = {}) {
      const given = plain(inputs) as Record<string, Json>;
      stages[id] = {
        uses: manifest.id,
        ...(Object.keys(given).length > 0 ? { with: given } : {}),
        ...settingsOf(settings),
      };
      return handle(id, Object.keys(manifest.outputs)) as never;
    },
    group(id, build, settings = {}) {
      const inner: Record<string, Json> = {};
      const outputs = build(writer(inner));
      stages[id] = { stages: inner, outputs: plain(outputs), ...settingsOf(settings) };
      return handle(id, Object.keys(outputs)) as never;
    },
  };
}

function settingsOf({ needs, ...settings }: StageSettings): Record<string, Json> {
  const ids = needs?.map((need) => (typeof need === 'string' ? need : need.id));
  return { ...(ids ? { needs: ids } : {}), ...(plain(settings) as Record<string, Json>) };
}

function plain(value: unknown): Json {
  if (value && typeof value === 'object' && 'expression' in value) return `\${{ ${String(value.expression)} }}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, plain(item)]])),
    );
  return value as Json;
}
