import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Message {
  id?: number | string;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
}

export interface Diagnosed {
  /** From 1. */
  line: number;
  message: string;
}

export interface Editor {
  /** What the server says of a file as soon as it is opened. */
  diagnostics(name: string, text: string): Promise<Diagnosed[]>;
  /** Labels and explanations offered where `▮` stands in the text. */
  complete(name: string, text: string): Promise<{ label: string; documentation: string }[]>;
  /** What is shown where `▮` stands in the text. */
  hover(name: string, text: string): Promise<string>;
  close(): Promise<void>;
}

/** The YAML language server that editors start, spoken to as an editor does: messages over its standard input and output. */
export async function openEditor(folder: string): Promise<Editor> {
  const require = createRequire(import.meta.url);
  const bin = join(dirname(require.resolve('yaml-language-server/package.json')), 'bin/yaml-language-server');
  const child = spawn(process.execPath, [bin, '--stdio'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<number | string, (message: Message) => void>();
  const published = new Map<string, (found: Diagnosed[]) => void>();
  let last = 0;
  const send = (message: Message): void => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const ask = <T>(method: string, params: unknown): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result as T)));
      send({ id, method, params });
    });
  const take = (message: Message): void => {
    const { id, method, params } = message;
    if (method === undefined) return void waiting.get(id!)?.(message);
    // Asked of the editor: nothing is configured, everything may be registered.
    if (id !== undefined) return send({ id, result: method === 'workspace/configuration' ? [] : null });
    if (method !== 'textDocument/publishDiagnostics') return;
    const { uri, diagnostics } = params as {
      uri: string;
      diagnostics: { message: string; range: { start: { line: number } } }[];
    };
    published.get(uri)?.(
      diagnostics.map(({ message: text, range }) => ({ line: range.start.line + 1, message: text })),
    );
  };
  let rest = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(rest.subarray(0, end).toString())![1]);
      if (rest.length < end + 4 + length) return;
      const body = rest.subarray(end + 4, end + 4 + length).toString();
      rest = rest.subarray(end + 4 + length);
      take(JSON.parse(body) as Message);
    }
  });

  await ask('initialize', {
    processId: process.pid,
    rootUri: pathToFileURL(folder).href,
    capabilities: {
      textDocument: {
        publishDiagnostics: {},
        hover: { contentFormat: ['markdown'] },
        completion: { completionItem: { snippetSupport: true, documentationFormat: ['markdown', 'plaintext'] } },
      },
    },
  });
  send({ method: 'initialized', params: {} });
  const yaml = { validate: true, hover: true, completion: true, schemaStore: { enable: false } };
  send({ method: 'workspace/didChangeConfiguration', params: { settings: { yaml } } });

  const open = (name: string, text: string): { uri: string; found: Promise<Diagnosed[]> } => {
    const uri = pathToFileURL(join(folder, name)).href;
    const found = new Promise<Diagnosed[]>((resolve) => published.set(uri, resolve));
    send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'yaml', version: ++last, text } },
    });
    return { uri, found };
  };
  const at = (name: string, marked: string) => {
    const before = marked.slice(0, marked.indexOf('▮')).split('\n');
    const { uri } = open(name, marked.replace('▮', ''));
    return { textDocument: { uri }, position: { line: before.length - 1, character: before.at(-1)!.length } };
  };
  return {
    diagnostics: (name, text) => open(name, text).found,
    async complete(name, marked) {
      const answer = await ask<{ items: { label: string; documentation?: string | { value: string } }[] }>(
        'textDocument/completion',
        at(name, marked),
      );
      return answer.items.map(({ label, documentation: said = '' }) => ({
        label,
        documentation: typeof said === 'string' ? said : said.value,
      }));
    },
    async hover(name, marked) {
      const answer = await ask<{ contents: { value: string } } | null>('textDocument/hover', at(name, marked));
      return answer?.contents.value ?? '';
    },
    close: () =>
      new Promise((resolve) => {
        child.on('close', () => resolve());
        child.stdin.end();
        child.kill();
      }),
  };
}
