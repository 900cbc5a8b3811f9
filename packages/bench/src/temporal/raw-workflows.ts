import { proxyActivities } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing(value: number): Promise<number> }>({
  startToCloseTimeout: '1 minute',
});

/** Activities that do nothing, one after the other. */
export async function sequential(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await nothing(i);
}

/** The same, all at once. */
export async function parallel(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => nothing(i)));
}
