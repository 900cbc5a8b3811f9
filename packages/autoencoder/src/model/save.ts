import type { ArtifactStore } from '@hourglass/artifacts';
import { canonicalJson, HourglassError, type ArtifactRef } from '@hourglass/core';
import type { ParamArrays } from '@hourglass/engine';
import type { ColumnEncoder, TableEncoder } from '../columns/encoder.ts';
import { readModelFiles, writeModelFiles } from './model-files.ts';
import { HELD_OUT_BANDS, type HeldOut, type Model, type ModelDescription } from './model.ts';
import type { NamedArray } from './safetensors.ts';

/** Stores a model: `model.json` and `weights.safetensors` (fitted quantiles and the weights of every member). */
export async function saveModel(store: ArtifactStore, model: Model): Promise<ArtifactRef> {
  const arrays: Record<string, NamedArray> = {};
  const encoder = {
    ...model.encoder,
    columns: model.encoder.columns.map((column, index) => {
      if (column.kind === 'vector') {
        const { center, ...rest } = column;
        arrays[`encoder/${index}/center`] = { shape: [center.length], values: center };
        return rest;
      }
      if (column.kind !== 'number' || column.map.kind !== 'knots') return column;
      const { x, z, slope } = column.map;
      arrays[`encoder/${index}/x`] = { shape: [x.length], values: x };
      arrays[`encoder/${index}/z`] = { shape: [z.length], values: z };
      return { ...column, map: { kind: 'knots', slope } };
    }),
  };
  for (const [name, array] of Object.entries(model.shared)) arrays[`shared/${name}`] = array;
  model.members.forEach((params, member) => {
    for (const [name, array] of Object.entries(params)) arrays[`members/${member}/${name}`] = array;
  });
  model.heldOut?.forEach((columns, band) =>
    columns.forEach(({ predicted, observed }, column) => {
      arrays[`held/${band}/${column}/predicted`] = { shape: [predicted.length], values: predicted };
      arrays[`held/${band}/${column}/observed`] = { shape: [observed.length], values: observed };
    }),
  );
  // NaN (an empty column has no range) is no JSON: null stands for it.
  const description = canonicalJson(
    nullForNaN({ ...model.description, encoder, members: model.members.length }) as Record<string, unknown>,
  );
  return writeModelFiles(store, description, arrays, {
    application: model.description.application,
    readOut: { ...model.description.readOut },
    columns: model.encoder.columns.map((column) => column.name),
    latentDim: model.description.network.latentDim,
    members: model.members.length,
  });
}

/** @throws ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT, MODEL_INCOMPATIBLE when it is of a later format */
export async function loadModel(store: ArtifactStore, ref: Pick<ArtifactRef, 'digest'>): Promise<Model> {
  const files = await readModelFiles(store, ref);
  const read = files.description as unknown as ModelDescription & { encoder: TableEncoder; members: number };
  if (!read.encoder)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `model ${ref.digest.slice(0, 12)} (${read.application}) reads pictures; expected one that reads tables. It is applied by ${read.readOut.stage}`,
    );
  const { arrays } = files;
  const { encoder, members, ...description } = read;
  return {
    description,
    encoder: { ...encoder, columns: encoder.columns.map((column, index) => restore(column, index, arrays)) },
    shared: under(arrays, 'shared/'),
    members: Array.from({ length: members }, (_, member) => under(arrays, `members/${member}/`)),
    ...(arrays['held/0/0/predicted'] ? { heldOut: heldOutOf(encoder, arrays) } : {}),
  };
}

function restore(column: ColumnEncoder, index: number, arrays: Record<string, NamedArray>): ColumnEncoder {
  if (column.kind === 'vector')
    return {
      ...column,
      min: column.min ?? NaN,
      max: column.max ?? NaN,
      center: arrays[`encoder/${index}/center`]!.values as Float64Array,
    };
  if (column.kind !== 'number') return column;
  const bounded = { ...column, min: column.min ?? NaN, max: column.max ?? NaN };
  if (column.map.kind !== 'knots') return bounded;
  const x = arrays[`encoder/${index}/x`]!.values as Float64Array;
  const z = arrays[`encoder/${index}/z`]!.values as Float64Array;
  return { ...bounded, map: { kind: 'knots', x, z, slope: column.map.slope } };
}

const heldOutOf = ({ columns }: TableEncoder, arrays: Record<string, NamedArray>): HeldOut[][] =>
  HELD_OUT_BANDS.map((_, band) =>
    columns
      .filter(({ kind }) => kind === 'number')
      .map((__, column) => ({
        predicted: arrays[`held/${band}/${column}/predicted`]!.values as Float32Array,
        observed: arrays[`held/${band}/${column}/observed`]!.values as Float32Array,
      })),
  );

const under = (arrays: Record<string, NamedArray>, prefix: string): ParamArrays =>
  Object.fromEntries(
    Object.entries(arrays)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { shape, values }]) => [name.slice(prefix.length), { shape, values: values as Float32Array }]),
  );

function nullForNaN(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(nullForNaN);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, nullForNaN(inner)]));
}
