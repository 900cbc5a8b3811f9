import type { ErrorJson, Json, Output } from '@hourglass/core';
import type { RunHeader, RunWarning, StageRow, WrittenSink } from '@hourglass/runtime';

/** Everything a report shows of a run: JSON, what `hourglass report --json` prints. */
export interface RunReport {
  run: Omit<RunHeader, 'source' | 'identity'> & {
    /** Milliseconds, where it has ended. */
    took?: number;
  };
  stages: ReportStage[];
  /** Metrics of every stage, as the stage gave them. */
  metrics: StageMetrics[];
  curves: TrainingCurve[];
  figures: ReportFigure[];
  files: (WrittenSink & { path: string })[];
  published: { name: string; version?: number; digest: string }[];
  warnings: RunWarning[];
  source?: { file: string; text: string };
}

export interface ReportStage extends Omit<StageRow, 'status'> {
  /** `stopped`: it was under way when the run was interrupted. */
  status: StageRow['status'] | 'stopped';
  /** Options as the pipeline gives them, expressions as text. */
  options: Record<string, Json>;
  /** Where its inputs come from, as the pipeline says. */
  inputs: Record<string, Json>;
  engine?: string;
  /** Milliseconds. */
  took?: number;
  /** What its result depends on, where the store still knows. */
  made?: { version: string; seed: number; libraries: Record<string, string>; sources: Record<string, string> };
  failures: { key: string; error: ErrorJson }[];
  points: { key: string; status: string; score?: number | null; selected: boolean }[];
  outputs: Record<string, Output>;
}

export interface StageMetrics {
  path: string;
  output: string;
  value: unknown;
}

export interface TrainingCurve {
  path: string;
  /** Of an ensemble, one a member. */
  members: CurvePoint[][];
}

export interface CurvePoint {
  epoch: number;
  loss?: number;
  validationLoss?: number;
  /** Of the epoch's last step. */
  learningRate?: number;
}

export interface ReportFigure {
  path: string;
  id: string;
  title: string;
  /** A Vega-Lite specification with its data. */
  spec?: Record<string, unknown>;
  /** A PNG image, base64. */
  png?: string;
  /** Why it cannot be shown. */
  problem?: string;
}
