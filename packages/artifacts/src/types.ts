import type {
  ArtifactKind,
  ArtifactManifest,
  ArtifactPart,
  ArtifactRef,
  CacheKeyParts,
  StageResult,
} from '@hourglass/core';
import type { StoreDriver } from './driver.ts';

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
  /** Facts of the occasion (wall times, training curve) beside an artifact, outside its digest. The last note stands. */
  annotate(digest: string, note: Record<string, unknown>): Promise<void>;
  annotation(digest: string): Promise<Record<string, unknown> | undefined>;
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

/**
 * One slot, named by a cache key, fenced by attempt: once an attempt has loaded or saved, lower ones of the same owner
 * are refused. Different owners (two runs that train the same) do not disturb each other.
 */
export interface CheckpointSlot {
  /** The newest sound checkpoint of any owner. A torn or corrupt one is passed over with a warning. */
  load(): Promise<Checkpoint | undefined>;
  /** @throws CANCELLED when a later attempt holds the slot (this writer is a zombie) */
  save(checkpoint: Checkpoint): Promise<void>;
  /** After success: nobody needs any checkpoint of this key again. */
  remove(): Promise<void>;
}

/** Content of files outside the store. */
export interface Fingerprint {
  /** Of one file: sha256 of its bytes. Of a folder or glob: sha256 over relative names and digests. */
  digest: string;
  /** Absolute, sorted. */
  files: string[];
  bytes: number;
}

/** Everything under one store location. */
export interface Store {
  /** Absolute folder or URI; enough for another process to open the same store. */
  readonly location: string;
  /** What the place can do; for looking after the store as a whole. */
  readonly driver: StoreDriver;
  artifacts: ArtifactStore;
  cache: CacheRecords;
  names: Names;
  /**
   * @param attempt the fence: grows with every attempt of one owner
   * @param owner whose attempts are compared, usually the run's id @default ''
   */
  checkpoint(key: string, attempt: number, owner?: string): CheckpointSlot;
  /**
   * Content of a file, folder or glob (`*`, `?`, `[a-z]`, `**`); unchanged files are not read again.
   * @param baseDir what a relative source is relative to @default the current folder
   * @throws SOURCE_NOT_FOUND with near names; SOURCE_INVALID when it cannot be read or changes while being read
   */
  fingerprintSource(source: string, baseDir?: string): Promise<Fingerprint>;
  /** The same for a destination (file or folder); undefined when nothing is there. Says whether a sink still holds what was written. */
  digestOfDestination(path: string): Promise<string | undefined>;
}

/** One published version of a name. */
export interface NameVersion {
  name: string;
  /** 1, 2, 3 … */
  version: number;
  ref: ArtifactRef;
  /** Id of the run that published it. */
  run: string;
  /** ISO time. */
  at: string;
}

/** An alias of a name, such as `champion`, pointed at a version. */
export interface NameAlias {
  alias: string;
  version: number;
  by: string;
  at: string;
}

export interface NameSummary {
  name: string;
  latest: NameVersion;
  versions: number;
  aliases: NameAlias[];
}

/** Published names: versions and aliases, both kept as logs that only grow, so that nothing is ever overwritten. */
export interface Names {
  /**
   * Adds the next version. A run that publishes the same ref again gets the version it has.
   * @param options.expected the latest version known to the caller (0: none); without it, publishes on top of whatever is there
   * @throws NAME_CONFLICT when another version came since `expected`
   */
  publish(name: string, ref: ArtifactRef, options: { run: string; expected?: number }): Promise<NameVersion>;
  /** `x`, `x@latest`, `x@3`, `x@champion`. @throws NAME_NOT_FOUND with near names; ARTIFACT_NOT_FOUND when it was collected */
  resolve(reference: string): Promise<NameVersion>;
  /** Points an alias at a version (`x@3`, `x@latest`, another alias). `latest` itself cannot be set. */
  promote(reference: string, alias: string, options: { by: string }): Promise<NameAlias>;
  /** Versions and alias changes, oldest first. */
  history(name: string): Promise<{ versions: NameVersion[]; aliases: NameAlias[] }>;
  list(): Promise<NameSummary[]>;
}
