import { HourglassError } from '@hourglass/core';
import type { ArtifactRef } from '@hourglass/core';
import type { ArtifactStore } from './types.ts';

/**
 * A figure is data: a Vega-Lite specification that holds its (bounded) data, or a PNG image. Nothing in it points
 * elsewhere, so that a report can be one file.
 */
export type Figure = {
  /** Unique within the artifact: letters, digits, `-` and `_`. */
  id: string;
  /** One line for people; also the alternative text. */
  title: string;
} & ({ format: 'vega-lite'; spec: Record<string, unknown> } | { format: 'png'; png: Uint8Array });

/** Bytes of JSON a specification may weigh with its data: about 5 000 points. */
export const LARGEST_FIGURE = 512 * 1024;

const ENDING = { 'vega-lite': '.vl.json', png: '.png' } as const;
const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47];

interface FiguresMeta {
  figures: { id: string; title: string; format: Figure['format'] }[];
}

/**
 * Stores figures in their order, one part each (`ID.vl.json`, `ID.png`).
 * @throws OUTPUT_INVALID for data by URL, data beyond {@link LARGEST_FIGURE}, a broken PNG or an id twice
 */
export async function putFigures(store: ArtifactStore, figures: readonly Figure[]): Promise<ArtifactRef> {
  const parts = [];
  for (const figure of figures) {
    const bytes = figure.format === 'png' ? figure.png : new TextEncoder().encode(JSON.stringify(figure.spec));
    check(figure, bytes);
    parts.push({ key: `${figure.id}${ENDING[figure.format]}`, ...(await store.putBlob(bytes)) });
  }
  const meta: FiguresMeta = { figures: figures.map(({ id, title, format }) => ({ id, title, format })) };
  return store.put({ kind: 'figures', parts, meta: { ...meta } });
}

/** The figures of an artifact, in order. @throws ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT, INPUT_INVALID when it holds none */
export async function readFigures(store: ArtifactStore, ref: Pick<ArtifactRef, 'digest'>): Promise<Figure[]> {
  const { meta, parts } = await store.get(ref, 'figures');
  return Promise.all(
    (meta as unknown as FiguresMeta).figures.map(async ({ id, title, format }, i): Promise<Figure> => {
      const bytes = await store.readBlob(parts[i]!.digest);
      if (format === 'png') return { id, title, format, png: bytes };
      return { id, title, format, spec: JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown> };
    }),
  );
}

function check(figure: Figure, bytes: Uint8Array): void {
  const invalid = (found: string): HourglassError =>
    new HourglassError('OUTPUT_INVALID', `figure "${figure.id}" (${figure.title}): ${found}`);
  if (!/^[A-Za-z0-9_-]+$/.test(figure.id)) throw invalid('expected an id of letters, digits, "-" and "_"');
  if (figure.format === 'png') {
    if (PNG_SIGNATURE.some((byte, i) => bytes[i] !== byte)) throw invalid('expected a PNG image, found other bytes');
    return;
  }
  if (bytes.byteLength > LARGEST_FIGURE)
    throw invalid(
      `expected at most ${LARGEST_FIGURE} bytes with its data, found ${bytes.byteLength}; sample or bin the data`,
    );
  if (pointsElsewhere(figure.spec)) throw invalid('expected its data inside (data.values), found data by url');
}

/** Whether any `data` of a specification names a URL. */
function pointsElsewhere(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(pointsElsewhere);
  if (value === null || typeof value !== 'object') return false;
  const { data } = value as { data?: { url?: unknown } };
  if (data && typeof data === 'object' && 'url' in data) return true;
  return Object.entries(value).some(([key, inner]) => key !== 'values' && pointsElsewhere(inner));
}
