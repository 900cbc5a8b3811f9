import { afterAll, describe } from 'vitest';
import { folderDriver } from '../folder-driver.ts';
import { s3Driver } from '../s3/driver.ts';
import { s3TestServer, testDriver } from '../testing.ts';
import { memoryDriver } from './support/memory-driver.ts';
import { tempFolder } from './support/temp-folder.ts';

testDriver('folder', async () => folderDriver(tempFolder()));
testDriver('memory', async () => memoryDriver());

const server = await s3TestServer();
afterAll(() => server?.stop());

describe.skipIf(server === undefined)('object storage', () => {
  let made = 0;
  testDriver('S3', async () => {
    if (made === 0) await server!.makeBucket('conformance');
    const env = { ...server!.env(), XDG_CACHE_HOME: tempFolder() };
    return s3Driver(`s3://conformance/store-${made++}`, { env });
  });
});
