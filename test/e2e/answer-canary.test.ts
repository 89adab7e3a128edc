// A release that answers otherwise than it was approved to, on the running product: what the response guard sees of its
// answers takes it back, whether or not they are let pass.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Product, startProduct } from '#test/support/product.ts';
import { type RawAnswer, send, statelessRequest } from '#test/support/raw-call.ts';
import { APPLIED, type SwappedTracker, swapTracker, TRACKER } from '#test/support/swapped-tracker.ts';
import { until } from '#test/support/xds-gateway.ts';

const TOOL = {
  name: 'stock',
  inputSchema: { type: 'object' },
  outputSchema: { type: 'object', properties: { left: { type: 'integer' } }, required: ['left'] },
} as const;

/** What each version answers; the new one counts in words. */
const ANSWERS: Readonly<Record<string, unknown>> = { '/old': { left: 3 }, '/new': { left: 'three' } };

let product: Product;
let upstream: Server;
let tracker: SwappedTracker;

const startUpstream = async (): Promise<string> => {
  upstream = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { id, method } = JSON.parse(body === '' ? '{}' : body) as { id?: unknown; method?: string };
    const structuredContent = ANSWERS[request.url ?? ''];
    const content = [{ type: 'text', text: JSON.stringify(structuredContent) }];
    const result = method === 'tools/list' ? { tools: [TOOL] } : { content, structuredContent };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
};

beforeAll(async () => {
  product = await startProduct();
  const origin = await startUpstream();
  tracker = await swapTracker(product, [
    { name: '8.0.0', endpoint: `${origin}/old`, tools: [TOOL] },
    { name: '9.0.0', endpoint: `${origin}/new`, tools: [TOOL] },
  ]);
}, 300_000);

afterAll(async () => {
  await product?.stop();
  upstream?.closeAllConnections();
  upstream?.close();
});

/** A call of a tester of the new version. */
const call = (): Promise<RawAnswer> =>
  send(
    tracker.url,
    statelessRequest(
      'tools/call',
      { name: TOOL.name, arguments: {} },
      { token: tracker.alice, headers: { 'x-canary': 'yes' } },
    ),
  );

const seenBy = ({ message }: RawAnswer): unknown =>
  message.error?.data['reason'] ?? message.result?.['structuredContent'];

it.each([
  ['refused', {}, 'output_invalid'],
  ['let pass and reported', { results: 'report' }, ANSWERS['/new']],
])(
  'a version whose answers are %s is taken back, and its testers with it',
  async (_what, responseGuard, seen) => {
    await tracker.change('PATCH', `${TRACKER}?${APPLIED}`, {
      responseGuard: { results: null, ...responseGuard },
    });
    await tracker.change('PUT', `${TRACKER}/traffic?${APPLIED}`, {
      weights: [{ version: '8.0.0', weight: 1 }],
      testers: [{ version: '9.0.0', header: { name: 'x-canary', value: 'yes' } }],
      withdrawn: [],
      abort: {
        version: '9.0.0',
        fallback: '8.0.0',
        windowSeconds: 30,
        minimumCalls: 10,
        limits: [{ signal: 'invalid-answers', maximum: 0.1 }],
      },
    });
    expect(seenBy(await call())).toEqual(seen);
    await until(
      'the version is out',
      async () => JSON.stringify(seenBy(await call())) === JSON.stringify(ANSWERS['/old']),
      60_000,
    );
    const { body } = await product.registry('GET', `${TRACKER}/traffic`);
    expect(body).toMatchObject({
      split: { withdrawn: ['9.0.0'] },
      lastAbort: { version: '9.0.0', fallback: '8.0.0', signal: 'invalid-answers', value: 1, limit: 0.1 },
    });
    const { body: history } = await product.registry('GET', '/v1/tenants/default/revisions');
    const [{ reason } = { reason: '' }] = (history as { readonly items: readonly { reason: string }[] })
      .items;
    expect(reason).toMatch(/^invalid-answers of 100 % is over 10 %, in \d\d judged answers of 30 s$/);
  },
  120_000,
);
