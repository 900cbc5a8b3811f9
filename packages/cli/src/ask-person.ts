import type { Store } from '@hourglass/artifacts';
import type { Answer, RunCommand } from '@hourglass/core';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CliContext } from './context.ts';
import { takeAnswer } from './inbox.ts';
import { currentUser } from './current-user.ts';
import type { RunView } from './output/run-view.ts';

type Question = Extract<RunCommand, { type: 'ask' }>;

/** A folder is asked often; object storage counts every question. */
const POLL_MS = { here: 500, away: 5000 };

/**
 * Asks the person at the keyboard, and takes what `hourglass approve` and `reject` say from elsewhere, whichever comes first.
 * Without a terminal nobody can say yes to an approval: what is there already counts, or nothing, and the run ends until it
 * is started again. A stage that failed is held open all the same, for whoever calls from elsewhere.
 */
export function asker(options: {
  context: CliContext;
  store: Store;
  interactive: boolean;
  view: () => RunView | undefined;
  runId: () => string;
  /** Ctrl-C, which a raw terminal hands over as a key. */
  interrupt: () => void;
}): (question: Question, signal: AbortSignal) => Promise<Answer | undefined> {
  const { context, store, view, runId } = options;
  const interactive = options.interactive && process.stdin.isTTY === true;
  /** One question at a time on the keyboard. */
  let keyboard: Promise<unknown> = Promise.resolve();
  return async (question, signal) => {
    const answered = new AbortController();
    const either = AbortSignal.any([signal, answered.signal]);
    const fromElsewhere = async (): Promise<Answer | undefined> => {
      for (;;) {
        const answer = await takeAnswer(store, runId(), question.path);
        if (answer || (!interactive && !isHeld(question))) return answer;
        await sleep(store.driver.resident ? POLL_MS.here : POLL_MS.away, undefined, { signal: either });
      }
    };
    if (!interactive) {
      // Said before the wait; without one, only where a person may read it.
      if (isHeld(question)) view()?.notice(howToAnswer(question, runId()));
      const answer = await fromElsewhere();
      if (!answer && !context.env.CI) view()?.notice(howToAnswer(question, runId()));
      return answer;
    }
    const fromKeyboard = (keyboard = keyboard
      .catch(() => undefined)
      .then(() => askKeyboard(question, either, view(), options.interrupt)));
    try {
      return await Promise.race([fromElsewhere(), fromKeyboard as Promise<Answer | undefined>]);
    } finally {
      answered.abort();
      view()?.notice('');
    }
  };
}

const isHeld = (question: Question): boolean => question.message.includes(' failed: ');

function howToAnswer(question: Question, runId: string): string {
  const { path, until } = question;
  const end = until === undefined ? '' : ` until ${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return isHeld(question)
    ? `${path} is held open${end}: hourglass retry ${runId} --with ${path}.OPTION=VALUE, or --skip ${path}, or hourglass reject ${runId} ${path}`
    : `${path} waits${end}: hourglass approve ${runId} ${path}, or reject`;
}

/** `y` and `n` for an approval; `r`, `s`, `x` for a stage that failed and is held open. */
async function askKeyboard(
  question: Question,
  signal: AbortSignal,
  view: RunView | undefined,
  interrupt: () => void,
): Promise<Answer | undefined> {
  signal.throwIfAborted();
  const held = isHeld(question);
  // The keys first: they must not be what a narrow terminal cuts off. Why it failed stands in its row.
  view?.notice(
    held
      ? `[r retry · s skip · x give up]  ${question.path} failed; with options changed: hourglass retry, elsewhere`
      : `[y yes · n no]  ${question.message}`,
  );
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.resume();
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const done = (): void => {
        stdin.removeListener('data', onData);
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        done();
        reject(signal.reason as Error);
      };
      const onData = (data: Buffer): void => {
        const key = data.toString().toLowerCase();
        if (key === '\u0003') return interrupt();
        const answer = answerOf(key, question.path, held);
        if (!answer) return;
        done();
        resolve(answer);
      };
      stdin.on('data', onData);
      signal.addEventListener('abort', onAbort);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

function answerOf(key: string, path: string, held: boolean): Answer | undefined {
  const by = currentUser();
  if (!held)
    return key === 'y' ? { type: 'approve', path, by } : key === 'n' ? { type: 'reject', path, by } : undefined;
  if (key === 'r') return { type: 'retry-stage', path, by };
  if (key === 's') return { type: 'skip-stage', path, by };
  return key === 'x' ? { type: 'reject', path, by } : undefined;
}
