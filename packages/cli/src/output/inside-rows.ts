import { type StagePlan, stagePathOf } from '@hourglass/core';
import type { RunOccasion, RunRecord } from '@hourglass/runtime';

/** What the executions of one stage inside a group came to. */
export interface InsideRow {
  path: string;
  depth: number;
  uses: string;
  runs: number;
  cached: number;
  /** Sum over the executions that ran, in milliseconds. */
  time: number;
  engine?: string;
}

/** Stages within a group that has settled: their states are dropped by then, their records are not. */
export function insideRows(record: RunRecord, path: string): InsideRow[] {
  const byStage = new Map<string, RunOccasion[]>();
  for (const occasion of Object.values(record.occasions)) {
    const stage = stagePathOf(occasion.path);
    byStage.set(stage, [...(byStage.get(stage) ?? []), occasion]);
  }
  const visit = (stages: readonly StagePlan[], prefix: string, depth: number): InsideRow[] =>
    stages.flatMap((stage) => {
      const at = prefix + stage.id;
      if (stage.group) return visit(stage.group.stages, `${at}.`, depth + 1);
      const occasions = byStage.get(at) ?? [];
      if (occasions.length === 0) return [];
      const ran = occasions.filter(({ cache }) => cache !== 'hit');
      return [
        {
          path: at,
          depth,
          uses: stage.uses!,
          runs: ran.length,
          cached: occasions.length - ran.length,
          time: ran.reduce((sum, { startedAt, finishedAt }) => sum + Date.parse(finishedAt) - Date.parse(startedAt), 0),
          engine: ran.find(({ engine }) => engine)?.engine,
        },
      ];
    });
  let stages: readonly StagePlan[] = record.plan.stages;
  for (const id of path.split('.')) stages = stages.find((stage) => stage.id === id)?.group?.stages ?? [];
  return visit(stages, `${path}.`, path.split('.').length);
}
