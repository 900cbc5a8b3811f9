import { loadModel, predictor, type Model, type Predictor } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import type { StageContext } from '@hourglass/plugin-kit';
import { openGallery, type Gallery } from './gallery.ts';
import { openGraph, type SearchSpace } from './search.ts';

/** An index with all that a search in it needs: the model compiled, the graph mapped, latents once they were read. */
export interface WarmIndex {
  gallery: Gallery;
  model: Model;
  answer: Predictor;
  space: SearchSpace;
}

interface Entry {
  key: string;
  opened: Promise<WarmIndex>;
  users: number;
}

/** Indexes a process keeps: opening one of a million objects takes longer than a search. */
const KEPT = 2;
const entries: Entry[] = [];

/**
 * Works with an index, opened on its first use in this process and kept for the next query. Artifacts do not change, so what
 * was opened by digest stays right.
 * @param model - when given, the model the index must have been made by
 * @throws MODEL_INCOMPATIBLE for an index of another model
 */
export async function withIndex<T>(
  stage: string,
  context: StageContext,
  index: ArtifactRef,
  model: ArtifactRef | undefined,
  work: (index: WarmIndex) => Promise<T>,
): Promise<T> {
  const engine = await context.engine();
  const key = [context.artifacts.location, index.digest, model?.digest, engine.class].join(' ');
  let entry = entries.find((each) => each.key === key);
  if (entry) entries.splice(entries.indexOf(entry), 1);
  else entry = { key, opened: open(), users: 0 };
  entries.push(entry);
  entry.users++;
  try {
    return await work(await entry.opened);
  } catch (error) {
    // What failed may be the index itself: the next query opens it anew.
    forget(entry);
    throw error;
  } finally {
    entry.users--;
    while (entries.length > KEPT) forget(entries[0]!);
    if (!entries.includes(entry)) await release(entry);
  }

  async function open(): Promise<WarmIndex> {
    const gallery = await openGallery(stage, context.artifacts, index, model);
    const { dims, graph: options } = gallery.settings;
    const loaded = await loadModel(context.artifacts, index);
    const graph = gallery.graph === undefined ? {} : { graph: openGraph(gallery.graph, dims, options) };
    return { gallery, model: loaded, answer: predictor(engine, loaded), space: { z: gallery.z, dims, ...graph } };
  }
}

function forget(entry: Entry): void {
  const at = entries.indexOf(entry);
  if (at < 0) return;
  entries.splice(at, 1);
  void release(entry);
}

/** Frees what the engine holds, once nobody uses it. */
async function release({ opened, users }: Entry): Promise<void> {
  if (users === 0) (await opened.catch(() => undefined))?.answer.dispose();
}
