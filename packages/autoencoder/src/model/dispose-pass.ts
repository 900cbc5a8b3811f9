import type { CompiledForward } from '@hourglass/engine';

/** Disposes a pass once it is compiled; one that failed to compile holds nothing. */
export const disposePass = (pass: Promise<CompiledForward>): void =>
  void pass.then(
    (ready) => ready.dispose(),
    () => undefined,
  );
