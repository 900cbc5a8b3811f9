export { CheckFailed, runCheck, type Check } from './testing/check.ts';
export { fakeContext, type FakeContext, type FakeContextOptions } from './testing/fake-context.ts';
export type { LearnerUnderTest, Workbench } from './testing/learner.ts';
export { storeTable } from './testing/store-table.ts';
export { constantColumn, sliceRows, syntheticTable, withColumns } from './testing/synthetic-table.ts';
export { tableChecks, testPlugin, type TestPluginOptions } from './testing/test-plugin.ts';
export { runExample, testExamples, type ExampleOptions } from './testing/run-example.ts';
export { runStage } from './testing/run-stage.ts';
