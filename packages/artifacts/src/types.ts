import type {
  ArtifactKind,
  ArtifactManifest,
  ArtifactPart,
  ArtifactRef,
  CacheKeyParts,
  StageResult,
} from '@hourglass/core';

export interface BlobRef {
  /** sha256 of the bytes, hex. */
  digest: string;
  bytes: number;
}

/** Content-addressed store; a folder by default, object storage behind the same interface. */
export interface ArtifactStore {
  /** Folder path or URI, for messages. */
  readonly location: string;
  putBlob(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef>;
  /** Takes a finished local file into the store (moved when on the same filesystem); the file is gone afterwards. */
  putFile(path: string): Promise<BlobRef>;
  /** A fresh path on the store's filesystem to write a file to before `putFile`; cleaned up when the process exits. */
  tempPath(suffix?: string): Promise<string>;
  readBlob(digest: string): Promise<Uint8Array>;
  /** A local read-only file with the blob's bytes (fetched first where the store is remote). For DuckDB and streams. */
  localPath(digest: string): Promise<string>;
  has(digest: string): Promise<boolean>;
  /** Stores the manifest and gives the ref. Parts must be in the store. */
  put(manifest: ArtifactManifest): Promise<ArtifactRef>;
  /** The manifest of an artifact. @throws ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT, INPUT_INVALID when `kind` differs */
  get(ref: Pick<ArtifactRef, 'digest'>, kind?: ArtifactKind): Promise<ArtifactManifest>;
  /** Checks the bytes of manifest and parts; a verified-stamp (size, mtime, inode) makes the second look cheap. */
  verify(ref: Pick<ArtifactRef, 'digest'>, options?: { deep?: boolean }): Promise<VerifyResult>;
}

export type VerifyResult =
  { ok: true } | { ok: false; digest: string; part?: ArtifactPart; problem: 'missing' | 'corrupt' };

export interface CacheRecord {
  key: string;
  parts: CacheKeyParts;
  result: StageResult;
}

export interface CacheRecords {
  get(key: string): Promise<CacheRecord | undefined>;
  /** Put-if-absent: the loser gets the winner's record. `replace` where a record was found broken. */
  put(record: CacheRecord, options?: { replace?: boolean }): Promise<CacheRecord>;
  /** Remembers the parts last used at `pipeline/path`, so that a later miss can be explained. */
  remember(pipeline: string, path: string, parts: CacheKeyParts): Promise<void>;
  last(pipeline: string, path: string): Promise<CacheKeyParts | undefined>;
}

/** What a training saves: named arrays and small JSON. */
export interface Checkpoint {
  arrays: Record<string, Float32Array | Int32Array | Float64Array>;
  meta: Record<string, unknown>;
}

/** One slot, named by a cache key, fenced by attempt: a writer with a lower attempt than the slot's is refused. */
export interface CheckpointSlot {
  load(): Promise<Checkpoint | undefined>;
  /** @throws CANCELLED when a later attempt holds the slot (this writer is a zombie) */
  save(checkpoint: Checkpoint): Promise<void>;
  remove(): Promise<void>;
}

/** Everything under one store location. */
export interface Store {
  artifacts: ArtifactStore;
  cache: CacheRecords;
  checkpoint(key: string, attempt: number): CheckpointSlot;
}
