// Bundles the workflow's code. A program of its own: the bundler needs memory that a worker should not keep.
//   node build-workflow-bundle.mjs '{"entry": …, "out": …, "conditions": […], "failureConverterPath": …, "alias": {…}}'
import { randomBytes } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const { entry, out, conditions, failureConverterPath, alias } = JSON.parse(process.argv[2]);
const { code } = await bundleWorkflowCode({
  workflowsPath: entry,
  ...(failureConverterPath ? { failureConverterPath } : {}),
  logger: new DefaultLogger('ERROR'),
  webpackConfigHook: (config) => ({
    ...config,
    resolve: {
      ...config.resolve,
      alias: { ...config.resolve?.alias, ...alias },
      conditionNames: [...conditions, 'import', 'require', 'default'],
    },
  }),
});
await mkdir(dirname(out), { recursive: true });
const temporary = `${out}.${randomBytes(6).toString('hex')}`;
await writeFile(temporary, code);
await rename(temporary, out);
