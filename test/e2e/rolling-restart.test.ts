// Parts are replaced, one after another, while calls never pause and streams are open: no call fails, and no stream is
// cut without a word.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orderReplacement, ordersDirectory } from '#provision/processes/replace-orders.ts';
import { type LoadCall, type StreamCall, startConstantLoad } from '#test/support/constant-load.ts';
import { createLegacyCalls, LEGACY } from '#test/support/legacy-calls.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { statelessRequest } from '#test/support/raw-call.ts';

const STREAM_SECONDS = 4;

let product: Product;
let load: ReturnType<typeof startConstantLoad>;

const callOf = (
  token: string,
  tool: { readonly name: string; readonly arguments: Record<string, unknown> },
  judge: LoadCall['judge'],
): LoadCall => ({
  ...statelessRequest('tools/call', tool, { token }),
  url: product.serverUrl('tracker'),
  judge,
});

const saying =
  (what: string): LoadCall['judge'] =>
  ({ status, text }) =>
    status === 200 && text.includes(what) ? undefined : `${status} ${text.slice(0, 300)}`;

const streamOf = async (token: string, id: number): Promise<StreamCall> => {
  const url = product.serverUrl('reports');
  const params = { name: 'watch_queue', arguments: { seconds: STREAM_SECONDS } };
  const headers = {
    ...LEGACY,
    'content-type': 'application/json',
    authorization: `Bearer ${token}`,
    'mcp-session-id': await createLegacyCalls(() => url).openSession(token),
  };
  return { url, headers, body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }) };
};

beforeAll(async () => {
  // Streams that are open when their guard or Envoy is replaced may run to their end.
  product = await startProduct({ DRAIN_SECONDS: String(2 * STREAM_SECONDS) });
  const watcher = await product.token('alice', '--server', 'reports');
  const search = { name: 'search_documents', arguments: { query: 'x' } };
  load = startConstantLoad({
    calls: [
      callOf(await product.token('alice'), { name: 'list_issues', arguments: {} }, saying('"result"')),
      callOf(await product.token('paula'), search, saying('"tool_not_granted"')),
    ],
    workers: 3,
    streams: await Promise.all([1, 2, 3].map((id) => streamOf(watcher, id))),
  });
}, 300_000);
afterAll(() => product.stop());

describe('under constant load', () => {
  it.each(['ext-proc', 'xds-server', 'ext-authz', 'registry', 'envoy', 'ext-proc'])(
    '%s is replaced, and no call fails',
    async (part) => {
      const directory = ordersDirectory(product.process.environment['MCPGW_RUNTIME_DIR'] ?? '');
      expect(await orderReplacement(directory, part)).toBeUndefined();
      expect(load.tally().failures).toEqual([]);
    },
    90_000,
  );

  it('streams of that time have run to their end', async () => {
    const { calls, streams, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(calls.http1).toBeGreaterThan(100);
    expect(calls.http2).toBeGreaterThan(100);
    expect(streams.finished).toBeGreaterThan(5);
  }, 60_000);
});
