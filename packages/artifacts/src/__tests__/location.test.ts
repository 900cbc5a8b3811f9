import { expect, test } from 'vitest';
import { isUri, resolveStoreLocation } from '../location.ts';

test('the nearest wins: flag, then HOURGLASS_HOME, then .hourglass in the current folder', () => {
  const cwd = '/project';
  const env = { HOURGLASS_HOME: 'from-env' };
  expect(resolveStoreLocation({ flag: 'from-flag', env, cwd })).toBe('/project/from-flag');
  expect(resolveStoreLocation({ env, cwd })).toBe('/project/from-env');
  expect(resolveStoreLocation({ env: {}, cwd })).toBe('/project/.hourglass');
  expect(resolveStoreLocation({ env: { HOURGLASS_HOME: '' }, cwd })).toBe('/project/.hourglass');
});

test('absolute paths and URIs are kept', () => {
  expect(resolveStoreLocation({ flag: '/mnt/store', env: {}, cwd: '/project' })).toBe('/mnt/store');
  expect(resolveStoreLocation({ flag: 's3://bucket/prefix', env: {}, cwd: '/project' })).toBe('s3://bucket/prefix');
});

test('what names a scheme is no path of this machine', () => {
  for (const uri of ['s3://bucket/prefix', 'S3://bucket', 'file:///a', 'https://host/a']) expect(isUri(uri)).toBe(true);
  for (const path of ['/a', 'a', './s3:/a', 'c:\\a', 'c://a', '']) expect(isUri(path)).toBe(false);
});
