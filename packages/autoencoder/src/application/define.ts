import type { Checkpoint } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import type { ParamArrays } from '@hourglass/engine';
import type { ItemContext, ParallelCall, StageContext } from '@hourglass/runtime';
import type { Model } from '../model/model.ts';
import { readSafetensors, writeSafetensors } from '../model/safetensors.ts';
import { saveModel } from '../model/save.ts';
import type { LearnerMetrics, LearnerOptions } from '../options.ts';
import { under } from '../training/progress-state.ts';
import { reportProgress as report } from '../training/report-progress.ts';
import type { CurvePoint, Trained } from '../training/task.ts';
import { parameterCount, trainedMetrics, type TrainedMetrics } from '../training/trained-metrics.ts';
import type { Application } from './application.ts';
import { heldOutAnswers } from './held-out.ts';
import { describe, prepareLesson, trainMember, type Lesson } from './learn.ts';

/** One member of an ensemble as work for a process of its own. */
export interface MemberItem<O extends LearnerOptions = LearnerOptions> {
  data: ArtifactRef;
  options: O;
  seed: number;
  member: number;
}

/** A trained member without its weights: small JSON. */
export interface MemberReport extends TrainedMetrics {
  curve: CurvePoint[];
}

/** A trained member, its weights in the store. */
export interface MemberResult extends MemberReport {
  /** Blob of the member's weights. */
  weights: string;
}

/** The derived stages' code of an application. */
export interface DefinedApplication<O extends LearnerOptions> {
  application: Application<O>;
  /**
   * The train stage: dataset in, model and metrics out. Members of an ensemble train side by side when `parallel` names
   * the plugin's export of `trainMember`, one after the other without.
   */
  train(
    context: StageContext,
    inputs: { data: ArtifactRef },
    options: O,
    parallel?: ParallelCall,
  ): Promise<{ model: ArtifactRef; metrics: LearnerMetrics }>;
  /** For `context.parallel`: a plugin exports it from the module it names. */
  trainMember(item: MemberItem<O>, context: ItemContext): Promise<MemberResult>;
}

/** Derives the stages' code of an application from what it adds. */
export function defineApplication<O extends LearnerOptions>(application: Application<O>): DefinedApplication<O> {
  const prepare = async (context: ItemContext, data: ArtifactRef, options: O, seed: number): Promise<Lesson<O>> =>
    prepareLesson(application, await openDataset(context.artifacts, data), options, seed, {
      tempPath: (suffix) => context.artifacts.tempPath(suffix),
      signal: context.signal,
      progress: (message) => context.progress(0, message),
    });

  return {
    application,
    async train(context, { data }, options, parallel) {
      context.progress(0, 'reading the table');
      const lesson = await prepare(context, data, options, context.seed);
      try {
        for (const notice of lesson.notices) context.log.warn(notice);
        const engine = await context.engine();
        const members: ParamArrays[] = [];
        let reports: MemberReport[];
        if (options.ensemble > 1 && parallel) {
          const items = Array.from({ length: options.ensemble }, (_, member) => ({
            data,
            options,
            seed: context.seed,
            member,
          }));
          const results = await context.parallel<MemberItem<O>, MemberResult>(items, parallel);
          for (const { weights } of results)
            members.push(readSafetensors(await context.artifacts.readBlob(weights)) as ParamArrays);
          reports = results.map(({ weights: _, ...report }) => report);
        } else reports = await trainInTurn(lesson, context, members);
        const model: Model = {
          description: describe(lesson, engine),
          encoder: lesson.encoder,
          shared: lesson.shared,
          members,
        };
        model.heldOut = await heldOutAnswers(engine, lesson, model);
        const ref = await saveModel(context.artifacts, model);
        await context.artifacts.annotate(ref.digest, { curves: reports.map((report) => report.curve) });
        return { model: ref, metrics: metricsOf(lesson, reports, members) };
      } finally {
        await lesson.close();
      }
    },
    async trainMember({ data, options, seed, member }, context) {
      const lesson = await prepare(context, data, options, seed);
      const trained = await trainMember(await context.engine(), lesson, member, {
        signal: context.signal,
        resume: await context.checkpoint.load(),
        save: (checkpoint) => context.checkpoint.save(checkpoint),
        progress: (progress) => report(context, progress, member, options.ensemble, 0, 1),
      }).finally(() => lesson.close());
      const { digest } = await context.artifacts.putBlob(writeSafetensors(trained.params));
      return { weights: digest, ...reportOf(trained) };
    },
  };
}

/** Members one after the other; the checkpoint holds the finished ones whole and the present one's state. */
async function trainInTurn<O extends LearnerOptions>(
  lesson: Lesson<O>,
  context: StageContext,
  members: ParamArrays[],
): Promise<MemberReport[]> {
  const engine = await context.engine();
  const { ensemble } = lesson.options;
  const saved = await context.checkpoint.load();
  const reports: MemberReport[] = saved ? (saved.meta.reports as MemberReport[]) : [];
  const shapes = lesson.network.init(0);
  for (let member = 0; member < reports.length; member++)
    members.push(withShapes(under(`member/${member}/`, saved!.arrays), shapes));
  for (let member = members.length; member < ensemble; member++) {
    const finished = Object.assign(
      {},
      ...members.map((params, index) =>
        Object.fromEntries(Object.entries(params).map(([name, { values }]) => [`member/${index}/${name}`, values])),
      ),
    ) as Checkpoint['arrays'];
    const trained = await trainMember(engine, lesson, member, {
      signal: context.signal,
      resume:
        saved && member === saved.meta.member
          ? { arrays: under('now/', saved.arrays), meta: saved.meta.now as Record<string, unknown> }
          : undefined,
      save: ({ arrays, meta }) =>
        context.checkpoint.save({
          arrays: {
            ...finished,
            ...Object.fromEntries(Object.entries(arrays).map(([name, values]) => [`now/${name}`, values])),
          },
          meta: { member, reports, now: meta },
        }),
      progress: (progress) => report(context, progress, member, ensemble, member / ensemble, 1 / ensemble),
    });
    members.push(trained.params);
    reports.push(reportOf(trained));
  }
  return reports;
}

const withShapes = (arrays: Record<string, Float32Array>, shapes: ParamArrays): ParamArrays =>
  Object.fromEntries(Object.entries(shapes).map(([name, { shape }]) => [name, { shape, values: arrays[name]! }]));

const reportOf = (trained: Trained): MemberReport => ({ ...trainedMetrics(trained), curve: trained.curve });

function metricsOf(lesson: Lesson, reports: MemberReport[], members: ParamArrays[]): LearnerMetrics {
  const mean = (pick: (report: MemberReport) => number): number =>
    reports.reduce((sum, report) => sum + pick(report), 0) / reports.length;
  const validated = reports.every((report) => report.validationLoss !== undefined);
  return {
    loss: mean((report) => report.loss),
    ...(validated ? { validationLoss: mean((report) => report.validationLoss!) } : {}),
    bestEpoch: mean((report) => report.bestEpoch),
    epochs: mean((report) => report.epochs),
    steps: reports.reduce((sum, report) => sum + report.steps, 0),
    parameters: parameterCount(members[0]!),
    rows: lesson.rows,
    columns: lesson.encoder.columns.length,
    members: members.length,
  };
}
