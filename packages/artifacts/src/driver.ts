/** One object of a store, as `stat` and `list` show it. */
export interface ObjectInfo {
  /** Path within the store with `/` between names: `blobs/ab/abcd…`. */
  key: string;
  bytes: number;
  /** Milliseconds since the epoch of the last write. */
  modified: number;
}

/**
 * The little a place must be able to do to hold a store. Everything else (digests, records, names, checkpoints,
 * collection) is written once above it, so another place implements just this and passes the same conformance suite.
 *
 * Every write is atomic: readers see the old object, or the new one, never a part of it, also when the writer is killed.
 *
 * @throws DISK_FULL, STORE_UNWRITABLE from writes; STORE_UNREADABLE from reads; STORE_UNREACHABLE from both, each naming the place and the remedy
 */
export interface StoreDriver {
  /** Folder or URI, for messages. */
  readonly location: string;
  /** Folder of this machine for files being written and for verified-stamps; on the store's filesystem where it is a folder. */
  readonly localFolder: string;
  /** `localFile` costs no transfer: bytes can be looked at where they lie. */
  readonly resident: boolean;
  read(key: string): Promise<Uint8Array | undefined>;
  stat(key: string): Promise<ObjectInfo | undefined>;
  /** Every object whose key begins with the folder `prefix` (no trailing slash; `''` for all), in no particular order. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /**
   * Writes or replaces; of two writers the last one stands.
   *
   * @param options.durable outlasts a loss of power @default true
   */
  put(key: string, bytes: Uint8Array, options?: { durable?: boolean }): Promise<void>;
  /** @returns false, writing nothing, when the object exists; of several writers exactly one gets true */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean>;
  /** Takes a finished file from `localFolder` as the object's content, replacing; the file is gone afterwards. */
  putFile(key: string, path: string): Promise<void>;
  /** A read-only file of this machine with the object's bytes. Where it has to be fetched, a blob's are verified by its name. */
  localFile(key: string): Promise<string | undefined>;
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
}
