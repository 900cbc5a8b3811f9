import { folderDriver } from '../folder-driver.ts';
import { testDriver } from './support/driver-conformance.ts';
import { memoryDriver } from './support/memory-driver.ts';
import { tempFolder } from './support/temp-folder.ts';

testDriver('folder', async () => folderDriver(tempFolder()));
testDriver('memory', async () => memoryDriver());
