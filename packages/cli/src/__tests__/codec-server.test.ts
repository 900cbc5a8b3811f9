import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkspace, type Started, type Workspace } from './support/workspace.ts';

const key = randomBytes(32).toString('base64');
const origin = 'http://ui.example:8233';
let at: Workspace;
let server: Started;
let url: string;

beforeAll(async () => {
  at = makeWorkspace();
  server = at.start(['codec-server', '--listen', '127.0.0.1:0', '--origin', origin], { HOURGLASS_CODEC_KEY: key });
  url = await server.until('codec endpoint').then(() => /http:\/\/127\.0\.0\.1:\d+/.exec(server.seen())![0]);
});
afterAll(async () => {
  server.child.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
  at.remove();
});

const ask = (path: string, payloads: unknown, from = origin): Promise<Response> =>
  fetch(`${url}${path}`, { method: 'POST', headers: { origin: from }, body: JSON.stringify({ payloads }) });

describe('codec-server', () => {
  it('decrypts what was encrypted with its key, for pages of the UI only', async () => {
    const secret = Buffer.from('"the sky is green"').toString('base64');
    const plain = { metadata: { encoding: Buffer.from('json/plain').toString('base64') }, data: secret };
    const encoded = (await (await ask('/encode', [plain])).json()) as { payloads: { data: string }[] };
    expect(Buffer.from(encoded.payloads[0]!.data, 'base64').toString('latin1')).not.toContain('green');
    const decoded = await ask('/decode', encoded.payloads);
    expect(decoded.headers.get('access-control-allow-origin')).toBe(origin);
    expect(await decoded.json()).toEqual({ payloads: [plain] });
    expect((await ask('/decode', encoded.payloads, 'http://elsewhere.example')).status).toBe(403);
    const changed = { ...encoded.payloads[0]!, data: encoded.payloads[0]!.data.replace(/^.{4}/, 'AAAA') };
    expect((await ask('/decode', [changed])).status).toBe(400);
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });

  it('refuses to start without keys, or with one that is none', async () => {
    expect((await at.call(['codec-server'])).err).toMatch(/HOURGLASS_CODEC_KEY is not set/);
    const wrong = await at.call(['codec-server'], { env: { HOURGLASS_CODEC_KEY: 'short' } });
    expect(wrong.err).toMatch(/expected base64 of 32 bytes/);
  });
});
