/** Local sources of a run that travelled into the store, for workers on machines without them. A blob of the store. */
export interface CarriedSources {
  /** Folder of the pipeline's file, from the root of what was carried: `pipelines`; `.` when it is the root. */
  base: string;
  /** Paths from that root, with forward slashes. */
  files: { path: string; digest: string; bytes: number }[];
}
