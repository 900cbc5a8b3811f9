import { dirname, relative, resolve } from 'node:path';
import type { PipelineSource } from '@hourglass/workflows';
import type { CliContext } from '../context.ts';
import { loadPipeline, type LoadedPipeline } from '../load-pipeline.ts';

export interface PipelineToSubmit extends LoadedPipeline {
  source: PipelineSource;
  /** Folder of the file. */
  baseDir: string;
}

/** A pipeline with the text of every file it takes in, paths relative to its own folder. */
export async function pipelineToSubmit(context: CliContext, file: string): Promise<PipelineToSubmit> {
  const loaded = await loadPipeline(context, file);
  const baseDir = dirname(loaded.file);
  const own = relative(baseDir, loaded.file);
  const files: Record<string, string> = { [own]: loaded.text };
  for (const { file: path, text } of loaded.included) files[relative(baseDir, path).replaceAll('\\', '/')] = text;
  return { ...loaded, source: { file: own, files }, baseDir };
}

/** Absolute, from where the person is. */
export function absoluteOut(context: CliContext, out: string | undefined): string | undefined {
  return out === undefined ? undefined : resolve(context.cwd, out);
}
