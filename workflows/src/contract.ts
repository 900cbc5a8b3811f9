import type {
  ArtifactKind,
  ArtifactRef,
  CacheAnswer,
  CollectEntry,
  Json,
  PartItem,
  Plan,
  RunPlace,
  RunState,
  StageOccasion,
  StageResult,
  StageTask,
} from '@hourglass/core/interpreter';
import type { Queues } from './queues.ts';

/** Type of the one workflow. */
export const PIPELINE_WORKFLOW = 'pipelineWorkflow';

/** The files of a pipeline as they were when it was submitted: the file itself and those it takes in by `uses: ./…`. */
export interface PipelineSource {
  /** Its own file, a key of `files`. */
  file: string;
  /** Text by path. */
  files: Record<string, string>;
}

/** What a submitter, or a schedule, asks for. */
export interface RunRequest {
  /** Name of the pipeline, as its file says. */
  name: string;
  source: PipelineSource;
  /** Folder of the pipeline's file, where relative sources start; on a worker this folder must exist, or nothing relative be read. */
  baseDir: string;
  /** Where relative destinations go. @default the folder the worker is told */
  outDir?: string;
  params?: Record<string, Json>;
  /** ISO 8601. @default the schedule's time, else when the workflow started */
  scheduledAt?: string;
  partition?: string;
  seed?: number;
  engine?: string;
  only?: string[];
  from?: string[];
  force?: true | string[];
  /** Stages left out. */
  skip?: string[];
  overrides?: Record<string, Record<string, Json>>;
  /** Nobody is there to ask: `onFailure: wait` fails at once. */
  unattended?: boolean;
  /** Digest of the local sources as the submitter put them into the store; without it workers read them at `baseDir`. */
  carried?: string;
  /** A blob the submitter put into its store: a worker that does not find it uses another store. */
  proof?: { digest: string; store: string };
  /** When it has ended, its report is put into the store. */
  report?: boolean;
  /** The server knows our search attributes. */
  searchAttributes?: boolean;
  /** Events of the history after which the workflow continues as new. @default when the server suggests it */
  maxHistory?: number;
  /** Set by the workflow itself when it continues as new. */
  continued?: ContinuedRun;
}

/** A run prepared by the build that will keep to it: compiled, bound, placed. */
export interface PreparedRun {
  plan: Plan;
  state: RunState;
  queues: Queues;
  baseDir: string;
  carried?: string;
  outDir?: string;
  /** Base names of the sources it reads, for people. */
  dataset?: string;
}

export interface ContinuedRun extends PreparedRun {
  notes: RunNotes;
  /** It was asked to stop, and that was not heeded yet. */
  cancel?: boolean;
}

/** What a run leaves for people beside its state. Bounded. */
export interface RunNotes {
  /** By address: the losses of a training as a sparkline. */
  curves: Record<string, string>;
  warnings: { path: string; message: string; at: string }[];
  /** Where its report is, once it has ended. */
  report?: ReportPlace;
  /** By address: facts of the occasion. */
  occasions: Record<string, StageOccasion & { sinks?: Record<string, string> }>;
}

/** What an activity is told of one stage. Its type is the stage's id. */
export interface StageCall {
  task: StageTask;
  place: Omit<RunPlace, 'outDir'> & { outDir?: string; carried?: string };
  /** Version of the manifest that the plan was compiled against. */
  version?: number;
  force?: boolean;
  /** Paths of the metrics that the plan reads, by output: the rest stays in the store. */
  keep: Record<string, string[][]>;
}

/** A report in a store: one page, `report.html`. */
export interface ReportPlace {
  /** Of the artifact. */
  digest: string;
  /** Folder or URI of the store. */
  store: string;
}

export interface StageReply {
  result: StageResult;
  occasion: StageOccasion;
  curve?: string;
  warnings: string[];
}

/** Local activities: short, on the worker that runs the workflow, never behind a training. */
export interface StoreActivities {
  prepareRun(request: RunRequest, run: { id: string; scheduledAt: string }): Promise<PreparedRun>;
  lookupStages(tasks: StageTask[], place: StageCall['place'], keep: StageCall['keep'][]): Promise<CacheAnswer[]>;
  listParts(ref: ArtifactRef, offset: number, limit: number): Promise<{ total: number; items: PartItem[] }>;
  collectParts(kind: ArtifactKind, entries: CollectEntry[], missing: string[]): Promise<ArtifactRef>;
  publishName(name: string, ref: ArtifactRef, runId: string): Promise<{ version: number }>;
  /** Refuses options for a retry that the stage does not have, or that cannot be so. `train.epochs` is one of a stage inside a group. */
  checkOptions(plan: Plan, stage: string, options: Record<string, Json>): Promise<void>;
  writeReport(view: Required<RunView>, run: { id: string; startedAt: string }): Promise<ReportPlace>;
}

/** Answer of the query `run`: what the command line shows. */
export interface RunView {
  request: Omit<RunRequest, 'continued'>;
  prepared?: Omit<PreparedRun, 'state'>;
  state?: RunState;
  notes: RunNotes;
}

/** The workflow's result. */
export interface RunSummary {
  runId: string;
  status: RunState['status'];
  outputs: Record<string, Record<string, ArtifactRef | ArtifactRef[]>>;
  metrics: Record<string, Record<string, Json>>;
  published: Record<string, number>;
}

export const QUERIES = { status: 'status', run: 'run' } as const;

export interface PersonSays {
  by?: string;
  reason?: string;
}

/** Updates and what they take. */
export interface RunUpdates {
  pause: PersonSays;
  resume: PersonSays;
  approve: PersonSays & { stage: string };
  reject: PersonSays & { stage: string };
  retryStage: PersonSays & { stage: string; options?: Record<string, Json> };
  skipStage: PersonSays & { stage: string };
  cancelStage: PersonSays & { stage: string };
}

/** Search attributes, by name: registered by `hourglass migrate search-attributes`. */
export const SEARCH_ATTRIBUTES = {
  HourglassPipeline: 'Keyword',
  HourglassPartition: 'Keyword',
  HourglassDataset: 'Keyword',
  HourglassStatus: 'Keyword',
  HourglassStage: 'KeywordList',
  HourglassPlugin: 'KeywordList',
  HourglassMetric: 'Double',
} as const;
