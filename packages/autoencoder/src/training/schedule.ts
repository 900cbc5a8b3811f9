import type { ScheduleSpec } from '@hourglass/engine';
import type { TrainingOptions } from './task.ts';

/** The learning rate over a whole training of `totalSteps`. */
export function scheduleOf({ schedule, learningRate }: TrainingOptions, totalSteps: number): ScheduleSpec {
  if (schedule === 'constant') return { kind: 'constant', rate: learningRate };
  if (schedule === 'cosine')
    return { kind: 'cosine', rate: learningRate, totalSteps, warmupSteps: Math.floor(totalSteps / 20) };
  return { kind: 'one-cycle', rate: learningRate, totalSteps };
}
