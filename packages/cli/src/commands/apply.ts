import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { showArtifact, type Store } from '@hourglass/artifacts';
import { modelReads, readOutOf } from '@hourglass/autoencoder/read-out';
import { type ArtifactRef, compile, findStage, formatDiagnostics, HourglassError, nearNames } from '@hourglass/core';
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

/** The name under which the model enters the pipeline that applies it. */
const MODEL = 'applied_model';

const DONE: Record<string, string> = {
  fill: 'filled',
  encode: 'latents',
  reconstruct: 'reconstructed',
  denoise: 'denoised',
  score: 'scored',
  match: 'matches',
  colour: 'coloured',
  generate: 'generated',
};

const TABLE = /\.(parquet|arrow|feather)$/i;

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
  await mustExist(source, input);
  const stem = basename(source).replace(/(\.[a-z0-9]+)+$/i, '');
  const pictures = (await modelReads(store.artifacts, ref)) === 'pictures';
  const target = resolve(
    context.cwd,
    flags.output ??
      `${stem}-${DONE[readOut.kind] ?? readOut.kind}${pictures ? await pictureExtension(source) : outputExtension(source)}`,
  );
  if (target === source)
    throw new HourglassError('CALL_INVALID', `-o: ${flags.output} is the input itself; choose another name.`);

  const plugins = await loadPlugins(context);
  const manifest = findStage(plugins.registry, readOut.stage);
  if (!manifest)
    throw new HourglassError(
      'STAGE_NOT_FOUND',
      `The model is applied by ${readOut.stage}, which no installed plugin has. Install the plugin it was trained with.`,
    );
  const inputOf = (kind: string): string =>
    Object.entries(manifest.inputs).find(([, type]) => type.kind === kind)?.[0] ?? kind;
  const options = Object.fromEntries(
    [...(flags.with ?? []), ...(flags.k === undefined ? [] : [`k=${flags.k}`])].map((text) => {
      const { name, value } = splitAssignment(text, '--with', 'option=value');
      return [name, parseValue(value)];
    }),
  );
  const document = {
    hourglass: 'v1',
    name: `apply_${(ref.application ?? 'model').replaceAll('-', '_')}`,
    title: `${readOut.stage} on ${basename(source)}`,
    stages: {
      ingest: { uses: pictures ? 'data/images' : 'data/ingest', with: { uri: source } },
      apply: {
        uses: readOut.stage,
        with: {
          ...options,
          [inputOf('dataset')]: '${{ stages.ingest.data }}',
          [inputOf('model')]: `\${{ named("${MODEL}@latest") }}`,
        },
      },
      export: {
        uses: pictures && !TABLE.test(target) ? 'data/export-images' : 'data/export',
        with: { data: `\${{ stages.apply.${readOut.output} }}`, uri: target },
      },
    },
  };
  const text = JSON.stringify(document, null, 2);
  const { plan, diagnostics } = compile({ text, file: 'apply' }, plugins.registry);
  if (!plan) throw new HourglassError('CALL_INVALID', formatDiagnostics(diagnostics));
  const { exitCode } = await executeRun(context, {
    plan,
    plugins,
    store: withModel(store, ref),
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

/** The store with one more name, which means the model asked for: by digest as well as by name. */
function withModel(store: Store, ref: ArtifactRef): Store {
  const { names } = store;
  return {
    ...store,
    names: {
      ...names,
      resolve: async (reference) =>
        reference.split('@')[0] === MODEL
          ? { name: MODEL, version: 1, ref, run: '', at: '' }
          : names.resolve(reference),
    },
  };
}

async function mustExist(path: string, input: string): Promise<void> {
  if (/[*?[]/.test(input) || (await stat(path).catch(() => undefined))) return;
  const near = nearNames(basename(path), await readdir(dirname(path)).catch(() => []));
  throw new HourglassError(
    'SOURCE_NOT_FOUND',
    `No file ${input}.${near.length ? ` Did you mean ${near.map((name) => join(dirname(input), name)).join(' or ')}?` : ''}`,
  );
}

/** A picture comes back as a PNG, pictures of a table as a table, a folder as a folder. */
async function pictureExtension(source: string): Promise<string> {
  if (TABLE.test(source)) return extname(source).toLowerCase();
  return (await stat(source).catch(() => undefined))?.isFile() ? '.png' : '';
}

/** Tables come back as they came, where that format can be written. */
function outputExtension(source: string): string {
  const extension = extname(source).toLowerCase();
  return ['.csv', '.arrow', '.feather'].includes(extension) ? extension : '.parquet';
}
