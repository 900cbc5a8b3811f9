import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactPart, ArtifactRef } from '@hourglass/core';
import type { ReportFigure } from './run-report.ts';

/** An image beyond this is named, not shown. */
const LARGEST_PNG = 400_000;

/** The figures of an artifact. One that is broken says so; the others stand. */
export async function readFigures(store: ArtifactStore, path: string, ref: ArtifactRef): Promise<ReportFigure[]> {
  try {
    const { parts, meta } = await store.get(ref, 'figures');
    const titles = titlesOf(meta['figures']);
    return await Promise.all(parts.map((part) => figureOf(store, path, part, titles)));
  } catch (error) {
    return [{ path, id: 'figures', title: 'Figures', problem: (error as Error).message }];
  }
}

async function figureOf(
  store: ArtifactStore,
  path: string,
  { key, digest, bytes }: ArtifactPart,
  titles: Map<string, string>,
): Promise<ReportFigure> {
  const id = key.replace(/\.(vl\.json|png)$/, '');
  const figure = { path, id, title: titles.get(id) ?? id };
  try {
    if (key.endsWith('.png')) {
      if (bytes > LARGEST_PNG)
        return {
          ...figure,
          problem: `The image weighs ${bytes} bytes; a report shows images of up to ${LARGEST_PNG}.`,
        };
      return { ...figure, png: Buffer.from(await store.readBlob(digest)).toString('base64') };
    }
    const spec = JSON.parse(new TextDecoder().decode(await store.readBlob(digest))) as Record<string, unknown>;
    return { ...figure, spec };
  } catch (error) {
    return { ...figure, problem: (error as Error).message };
  }
}

function titlesOf(figures: unknown): Map<string, string> {
  if (!Array.isArray(figures)) return new Map();
  return new Map(
    (figures as { id?: unknown; title?: unknown }[]).map(({ id, title }) => [String(id), String(title ?? id)]),
  );
}
