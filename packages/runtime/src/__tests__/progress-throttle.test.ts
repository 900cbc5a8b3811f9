import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { progressThrottle } from '../progress-throttle.ts';

test('the first news goes at once, the last is never lost, and a thousand are few', async () => {
  const sent: string[] = [];
  const throttle = progressThrottle(({ message }) => sent.push(message), 20);
  for (let i = 0; i < 1000; i++) throttle.report({ message: `${i}` });
  expect(sent).toEqual(['0']);
  await sleep(40);
  expect(sent).toEqual(['0', '999']);
  throttle.report({ message: 'a' });
  throttle.report({ message: 'b' });
  throttle.flush();
  expect(sent.at(-1)).toBe('b');
});
