// Parts are replaced, one after another, while calls never pause and streams are open: no call fails, and no stream is
// cut without a word.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orderReplacement, ordersDirectory } from '#provision/processes/replace-orders.ts';
import { startConstantLoad } from '#test/support/constant-load.ts';
import { createClient, type Heard, type HttpClient, type Version } from '#test/support/http-clients.ts';
import { createLegacyCalls, LEGACY } from '#test/support/legacy-calls.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { statelessRequest } from '#test/support/raw-call.ts';

const STREAM_SECONDS = 4;
const CALLS_A_SECOND = 20;
/** Beyond any call or stream. */
const LIMIT_MS = 30_000;

type Request = Pick<Parameters<HttpClient['exchange']>[0], 'path' | 'headers'> & { readonly body: string };
type Call = Request & { readonly answer: string };

let product: Product;
let stopLoad: () => Promise<void>;
const done = { '1.1': 0, '2': 0, streams: 0 };
const failures: string[] = [];

const pathOf = (server: string): string => new URL(product.serverUrl(server)).pathname;

const callOf = (token: string, tool: Parameters<typeof statelessRequest>[1], answer: string): Call => ({
  ...statelessRequest('tools/call', tool, { token }),
  path: pathOf('tracker'),
  answer,
});

const streamOf = async (token: string, id: number): Promise<Request> => {
  const url = product.serverUrl('reports');
  const params = { name: 'watch_queue', arguments: { seconds: STREAM_SECONDS } };
  const headers = {
    ...LEGACY,
    'content-type': 'application/json',
    authorization: `Bearer ${token}`,
    'mcp-session-id': await createLegacyCalls(() => url).openSession(token),
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
  return { path: pathOf('reports'), headers, body };
};

/** Notes a failure unless the answer came whole and says what it is to say. Nothing is tried again. */
const judge = ({ status, end, text }: Heard, said: string, what: string): void => {
  if (status !== 200 || end !== 'whole' || !text.includes(said))
    failures.push(`${what} ${status} ${end} …${text.slice(-200)}`);
};

/** Both versions of HTTP in turn, over connections that are kept. */
const startLoad = (calls: readonly Call[], streams: readonly Request[]): (() => Promise<void>) => {
  const { origin } = new URL(product.serverUrl('tracker'));
  const clients = { '1.1': createClient('1.1', origin), '2': createClient('2', origin) };
  const send = (version: Version, { path, headers, body }: Request): Promise<Heard> =>
    clients[version].exchange({ method: 'POST', path, headers, body, limitMs: LIMIT_MS });
  const turns = (['1.1', '2'] as const).flatMap((version) => calls.map((call) => ({ version, call })));
  let count = 0;
  const call = async (): Promise<void> => {
    const turn = turns[count++ % turns.length];
    if (turn === undefined) throw new Error('a load needs calls');
    judge(await send(turn.version, turn.call), turn.call.answer, `HTTP/${turn.version}`);
    done[turn.version] += 1;
  };
  const open = (stream: Request) => async (): Promise<void> => {
    judge(await send('1.1', stream), '"result"', 'stream');
    done.streams += 1;
  };
  const stop = startConstantLoad({ rate: CALLS_A_SECOND, call, streams: streams.map(open) });
  return async () => {
    await stop();
    for (const client of Object.values(clients)) client.close();
  };
};

beforeAll(async () => {
  // Streams that are open when their guard or Envoy is replaced may run to their end.
  product = await startProduct({ DRAIN_SECONDS: String(2 * STREAM_SECONDS) });
  const watcher = await product.token('alice', '--server', 'reports');
  const search = { name: 'search_documents', arguments: { query: 'x' } };
  const calls = [
    callOf(await product.token('alice'), { name: 'list_issues', arguments: {} }, '"result"'),
    callOf(await product.token('paula'), search, '"tool_not_granted"'),
  ];
  stopLoad = startLoad(calls, await Promise.all([1, 2, 3].map((id) => streamOf(watcher, id))));
}, 300_000);
afterAll(() => product.stop());

describe('under constant load', () => {
  it.each(['ext-proc', 'xds-server', 'ext-authz', 'registry', 'envoy', 'ext-proc'])(
    '%s is replaced, and no call fails',
    async (part) => {
      const directory = ordersDirectory(product.process.environment['MCPGW_RUNTIME_DIR'] ?? '');
      expect(await orderReplacement(directory, part)).toBeUndefined();
      expect(failures).toEqual([]);
    },
    90_000,
  );

  it('streams of that time have run to their end', async () => {
    await stopLoad();
    expect(failures).toEqual([]);
    expect(done['1.1']).toBeGreaterThan(100);
    expect(done['2']).toBeGreaterThan(100);
    expect(done.streams).toBeGreaterThan(5);
  }, 60_000);
});
