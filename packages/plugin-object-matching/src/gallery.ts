import type { ArtifactStore } from '@hourglass/artifacts';
import { graphOfRows, type GraphOptions } from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, type Column } from '@hourglass/dataset';
import type { StageContext } from '@hourglass/plugin-kit';
import { INDEX } from './index-name.ts';

/** Columns of the latents in a gallery's table; no column of a user begins so. */
export const LATENT = '__z_';

/** How an index is searched and what its columns mean. JSON in the artifact. */
export interface IndexSettings {
  /** Digest of the model that made the latents. */
  model: string;
  dims: number;
  /** Column of the ids in the gallery. */
  id: string;
  payload: string[];
  search: 'exact' | 'approximate';
  graph: GraphOptions;
}

/** An index in memory. */
export interface Gallery {
  settings: IndexSettings;
  /** The table behind it: id, payload, latents. */
  table: ArtifactRef;
  columns: Column[];
  rows: number;
  /** Latents `[n, dims]`, read once when asked for. */
  z(): Promise<Float32Array>;
  /** Local file of the graph, of an approximate index. */
  graph?: string;
}

/** Stores a table of ids, payload and latents, with the model and, where asked, a graph, as one artifact. */
export async function putGallery(
  { artifacts: store, signal, progress }: StageContext,
  model: Pick<ArtifactRef, 'digest'>,
  table: ArtifactRef,
  settings: IndexSettings,
): Promise<{
  index: ArtifactRef;
  metrics: { objects: number; d: number; search: IndexSettings['search']; bytes: number };
}> {
  const [modelManifest, tableManifest] = [await store.get(model, 'model'), await store.get(table, 'dataset')];
  const parts = modelManifest.parts.filter(({ key }) => key === 'model.json' || key === 'weights.safetensors');
  for (const [i, part] of tableManifest.parts.entries()) parts.push({ ...part, key: `gallery/${i}` });
  if (settings.search === 'approximate') {
    const z = await latentsOf(store, table, settings.dims);
    const path = await store.tempPath('.usearch');
    const graph = await graphOfRows(z, settings.dims, settings.graph, {
      signal,
      entered: (done) => progress(0.9, `entering objects: ${done} of ${z.length / settings.dims}`),
    });
    graph.save(path);
    parts.push({ key: 'graph.usearch', ...(await store.putFile(path)) });
  }
  const index = await store.put({
    kind: 'model',
    parts,
    meta: {
      ...modelManifest.meta,
      application: INDEX,
      readOut: { kind: 'match', stage: 'object-matching/match', output: 'data' },
      settings: { ...settings },
      gallery: tableManifest.meta,
      galleryKeys: tableManifest.parts.map(({ key }) => key),
    },
  });
  const objects = tableManifest.parts.reduce((sum, { rows }) => sum + (rows ?? 0), 0);
  return { index, metrics: { objects, d: settings.dims, search: settings.search, bytes: index.bytes } };
}

/**
 * Opens an index.
 * @param model - when given, the model the index must have been made by
 * @throws MODEL_INCOMPATIBLE for an index of another model
 */
export async function openGallery(
  stage: string,
  store: ArtifactStore,
  index: Pick<ArtifactRef, 'digest'>,
  model?: Pick<ArtifactRef, 'digest'>,
): Promise<Gallery> {
  const { parts, meta } = await store.get(index, 'model');
  const settings = meta.settings as IndexSettings | undefined;
  if (!settings || meta.application !== INDEX)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `${stage}: ${index.digest.slice(0, 12)} is a model of ${String(meta.application)}, not an index; make one by object-matching/index`,
    );
  if (model && model.digest !== settings.model)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `${stage}: the index was made by model ${settings.model.slice(0, 12)}, the model connected is ${model.digest.slice(0, 12)}: their latents have nothing to do with one another; make the index again with this model, or connect the other`,
    );
  const keys = meta.galleryKeys as string[];
  // The table's own manifest, from what the index holds: putting it again gives the ref it had.
  const table = await store.put({
    kind: 'dataset',
    parts: keys.map((key, i) => ({ ...parts.find((part) => part.key === `gallery/${i}`)!, key })),
    meta: meta.gallery as Record<string, unknown>,
  });
  const reader = await openDataset(store, table);
  let z: Promise<Float32Array> | undefined;
  const graph = parts.find(({ key }) => key === 'graph.usearch');
  return {
    settings,
    table,
    columns: reader.columns,
    rows: reader.rows,
    z: () => (z ??= latentsOf(store, table, settings.dims)),
    ...(graph ? { graph: await store.localPath(graph.digest) } : {}),
  };
}

async function latentsOf(store: ArtifactStore, table: ArtifactRef, dims: number): Promise<Float32Array> {
  const names = Array.from({ length: dims }, (_, k) => `${LATENT}${k + 1}`);
  return (await (await openDataset(store, table)).matrix(names)).data;
}
