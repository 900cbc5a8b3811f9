import type { z } from 'zod';

export const ARTIFACT_KINDS = ['dataset', 'model', 'metrics', 'figures', 'report', 'files'] as const;
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

/** What stages exchange: a few hundred bytes that name content in the store. */
export interface ArtifactRef {
  kind: ArtifactKind;
  /** sha256 of the artifact's manifest, hex. */
  digest: string;
  /** Size of the manifest and everything it lists. */
  bytes: number;
  /** Datasets: number of rows over all parts. */
  rows?: number;
  /** Datasets: digest of the column names and types. */
  schemaDigest?: string;
  /** Models: the application that trained it (`imputation`, …). */
  application?: string;
  /** Datasets collected within a failure budget: keys of the parts that are missing. */
  missing?: string[];
}

/** One blob an artifact consists of, in order. A part of a dataset, a file of a model, a figure. */
export interface ArtifactPart {
  /** Unique within the artifact: partition key, file name, figure id. */
  key: string;
  digest: string;
  bytes: number;
  rows?: number;
}

/**
 * The content an artifact's digest is taken of (canonical JSON). Wall times, host names and paths never enter it.
 */
export interface ArtifactManifest {
  kind: ArtifactKind;
  parts: ArtifactPart[];
  /** Kind-specific description: a dataset's columns, a model's application, the value of metrics. */
  meta: Record<string, unknown>;
}

/** Declares what a stage takes or gives, in a manifest. */
export interface ArtifactType<
  K extends ArtifactKind = ArtifactKind,
  S extends z.ZodType = z.ZodType,
  Opt extends boolean = boolean,
> {
  kind: K;
  /** Models: only of this application. */
  application?: string;
  /** Metrics: their schema, so that gates are checked before anything runs. */
  schema?: S;
  optional?: Opt;
  description?: string;
}

type Declared<K extends ArtifactKind, S extends z.ZodType = z.ZodType> = ArtifactType<K, S, false>;

/** Declarations for `inputs` and `outputs` of a stage. */
export const artifact = {
  dataset: (description?: string): Declared<'dataset'> => ({ kind: 'dataset', optional: false, description }),
  model: (application?: string, description?: string): Declared<'model'> => ({
    kind: 'model',
    optional: false,
    application,
    description,
  }),
  metrics: <S extends z.ZodType>(schema: S, description?: string): Declared<'metrics', S> => ({
    kind: 'metrics',
    optional: false,
    schema,
    description,
  }),
  figures: (description?: string): Declared<'figures'> => ({ kind: 'figures', optional: false, description }),
  report: (description?: string): Declared<'report'> => ({ kind: 'report', optional: false, description }),
  /** Files for other programs, one part a file: a model for serving. */
  files: (description?: string): Declared<'files'> => ({ kind: 'files', optional: false, description }),
  /** Makes an input optional. */
  optional: <K extends ArtifactKind, S extends z.ZodType>(type: ArtifactType<K, S>): ArtifactType<K, S, true> => ({
    ...type,
    optional: true,
  }),
};
