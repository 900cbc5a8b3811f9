import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { showArtifact } from '@hourglass/artifacts';
import { modelReads, readOutOf } from '@hourglass/autoencoder/read-out';
import { compile, findStage, formatDiagnostics, HourglassError, type Json, nearNames } from '@hourglass/core';
import type { Plugins } from '@hourglass/runtime';
import { APPLIED_MODEL, withAppliedModel } from '../applied-model.ts';
import { applyTarget, type InputKind } from '../apply-target.ts';
import { asTyped } from '../as-typed.ts';
import { bindingOf, parseValue, splitAssignment } from '../bind-options.ts';
import type { CliContext } from '../context.ts';
import { executeRun } from '../execute-run.ts';
import { loadPlugins } from '../load-plugins.ts';
import { openStoreFor } from '../open-store.ts';
import type { ProgramState } from '../program.ts';

export interface ApplyFlags {
  output?: string;
  engine?: string;
  with?: string[];
  k?: number;
  store?: string;
  plain?: boolean;
  json?: boolean;
}

interface StageCall {
  uses: string;
  with: Record<string, Json>;
}

/** `hourglass apply MODEL INPUT`: a small pipeline around the stage that the model itself names. */
export async function apply(
  context: CliContext,
  state: ProgramState,
  model: string,
  input: string,
  flags: ApplyFlags,
): Promise<void> {
  const store = await openStoreFor(context, flags);
  const { ref } = await showArtifact(store, model);
  if (ref.kind !== 'model')
    throw new HourglassError(
      'CALL_INVALID',
      `${model} is a ${ref.kind}; expected a model. See: hourglass artifacts ls --kind model`,
    );
  const readOut = await readOutOf(store.artifacts, ref);
  const source = resolve(context.cwd, input);
  const kind = await kindOf(source, input);
  const pictures = (await modelReads(store.artifacts, ref)) === 'pictures';
  const target = applyTarget(flags.output, { cwd: context.cwd, source, kind, pictures, readOut: readOut.kind });

  const plugins = await loadPlugins(context);
  const manifest = findStage(plugins.registry, readOut.stage);
  if (!manifest)
    throw new HourglassError(
      'STAGE_NOT_FOUND',
      `The model is applied by ${readOut.stage}, which no installed plugin has. Install the plugin it was trained with.`,
    );
  const inputOf = (kind: string): string =>
    Object.entries(manifest.inputs).find(([, type]) => type.kind === kind)?.[0] ?? kind;
  const stages: Record<string, StageCall> = {
    ingest: { uses: pictures ? 'data/images' : 'data/ingest', with: { uri: source } },
    apply: {
      uses: readOut.stage,
      with: {
        [inputOf('dataset')]: '${{ stages.ingest.data }}',
        [inputOf('model')]: `\${{ named("${APPLIED_MODEL}@latest") }}`,
      },
    },
    export: { uses: target.uses, with: { data: `\${{ stages.apply.${readOut.output} }}`, uri: target.path } },
  };
  for (const text of [...(flags.with ?? []), ...(flags.k === undefined ? [] : [`k=${flags.k}`])])
    setOption(stages, plugins, text);
  const document = {
    hourglass: 'v1',
    name: `apply_${(ref.application ?? 'model').replaceAll('-', '_')}`,
    title: `${readOut.stage} on ${basename(source)}`,
    stages,
  };
  const text = JSON.stringify(document, null, 2);
  const { plan, diagnostics } = compile({ text, file: 'apply' }, plugins.registry);
  if (!plan) throw new HourglassError('CALL_INVALID', formatDiagnostics(diagnostics));
  const { exitCode } = await executeRun(context, {
    plan,
    plugins,
    store: withAppliedModel(store, ref),
    file: join(context.cwd, 'apply'),
    text,
    baseDir: context.cwd,
    outDir: context.cwd,
    binding: await bindingOf(context, plan, { engine: flags.engine }),
    plain: flags.plain,
    json: flags.json,
    again: asTyped(state.argv),
  });
  state.exitCode = exitCode;
}

/**
 * Sets `STAGE.OPTION=VALUE`; without a stage, the option of the read-out's stage, else of the one that reads or writes.
 * @throws CALL_INVALID
 */
function setOption(stages: Record<string, StageCall>, plugins: Plugins, text: string): void {
  const { name, value } = splitAssignment(text, '--with', 'option=value or stage.option=value');
  const dot = name.lastIndexOf('.');
  const option = name.slice(dot + 1);
  const has = (stage: string): boolean =>
    Object.hasOwn(plugins.stage(stages[stage]!.uses).manifest.options.shape, option);
  const stage = dot < 0 ? (['apply', 'ingest', 'export'].find(has) ?? 'apply') : name.slice(0, dot);
  const refuse = (message: string): never => {
    throw new HourglassError('CALL_INVALID', `--with ${name}: ${message}`);
  };
  const call = Object.hasOwn(stages, stage)
    ? stages[stage]!
    : refuse(`there is no stage ${stage}; expected ${Object.keys(stages).join(', ')}.`);
  if (Object.hasOwn(call.with, option))
    refuse('it is given already, by MODEL, INPUT, -o, -k or another --with. Leave it out.');
  call.with[option] = parseValue(value);
}

/** @throws SOURCE_NOT_FOUND with near names */
async function kindOf(path: string, input: string): Promise<InputKind> {
  const found = await stat(path).catch(() => undefined);
  if (found) return found.isFile() ? 'file' : 'folder';
  if (/[*?[]/.test(input)) return 'glob';
  const near = nearNames(basename(path), await readdir(dirname(path)).catch(() => []));
  throw new HourglassError(
    'SOURCE_NOT_FOUND',
    `No file ${input}.${near.length ? ` Did you mean ${near.map((name) => join(dirname(input), name)).join(' or ')}?` : ''}`,
  );
}
