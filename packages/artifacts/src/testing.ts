export { faultProxy, type Fault, type FaultProxy } from './testing/fault-proxy.ts';
export { s3TestServer, type S3TestServer } from './testing/s3-test-server.ts';
export { testDriver } from './testing/test-driver.ts';
