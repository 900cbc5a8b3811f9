import { checkDims, loadModel } from '@hourglass/autoencoder';
import type { StageRun } from '@hourglass/plugin-kit';
import { putGallery } from './gallery.ts';
import { galleryTable } from './gallery-table.ts';
import type { index } from './index.ts';

/** Objects up to which comparing all of them is fast enough to be preferred. */
const EXACT_UP_TO = 50_000;

/**
 * The stage `object-matching/index`. Its module cannot be called index.ts, which is the manifest: the package exports
 * `./index` from here.
 */
export const run: StageRun<typeof index> = async (context, { data, model: ref }, options) => {
  const model = await loadModel(context.artifacts, ref);
  const dims = checkDims(model, options.dims);
  const { table, id, payload } = await galleryTable('object-matching/index', context, model, data, {
    id: options.id,
    payload: options.payload,
    dims,
  });
  const { connectivity, expansionAdd, expansionSearch } = options;
  context.progress(0.9, 'storing the index');
  return putGallery(context, ref, table, {
    model: ref.digest,
    dims,
    id,
    payload,
    search: options.search === 'auto' ? ((table.rows ?? 0) > EXACT_UP_TO ? 'approximate' : 'exact') : options.search,
    graph: { connectivity, expansionAdd, expansionSearch },
  });
};
