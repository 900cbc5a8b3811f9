// With the payload codec on, messages and stacks of failures are payloads as well. CommonJS: the SDK loads it by path.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
