// A release that answers otherwise than it was approved to, on the running product: what the response guard sees of its
// answers takes it back, whether or not they are let pass.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Product, startProduct } from '#test/support/product.ts';
import { type RawAnswer, send, statelessRequest } from '#test/support/raw-call.ts';
import { until } from '#test/support/xds-gateway.ts';

const SERVER = '/v1/tenants/default/servers/tracker';
const TOOL = {
  name: 'stock',
  inputSchema: { type: 'object' },
  outputSchema: { type: 'object', properties: { left: { type: 'integer' } }, required: ['left'] },
} as const;

/** What each version answers; the new one counts in words. */
const ANSWERS: Readonly<Record<string, unknown>> = { '/old': { left: 3 }, '/new': { left: 'three' } };

let product: Product;
let upstream: Server;
let url: string;
let alice: string;

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

const change = async (method: string, path: string, body: object, isNew = false): Promise<void> => {
  const condition = isNew ? { 'if-none-match': '*' } : { 'if-match': '*' };
  const answer = await product.registry(method, path, body, condition);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
};

const WAIT = 'wait=applied&waitSeconds=30';

beforeAll(async () => {
  product = await startProduct();
  const origin = await startUpstream();
  const tracker = await product.registry('GET', SERVER);
  const { allowedHosts } = tracker.body as { readonly allowedHosts: readonly string[] };
  await change('PATCH', SERVER, {
    allowedHosts: [...allowedHosts, new URL(origin).host],
    constraints: [],
    upstreamAuth: { mode: 'none', scopes: [] },
  });
  for (const [name, path] of [
    ['8.0.0', '/old'],
    ['9.0.0', '/new'],
  ] as const) {
    const version = { endpoints: [`${origin}${path}`], protocolVersions: ['2026-07-28'], tools: [TOOL] };
    await change('PUT', `${SERVER}/versions/${name}`, version, true);
  }
  alice = await product.token('alice');
  const subjects = [{ kind: 'user', id: decodeJwt(alice)['oid'] }];
  const grant = { serverId: 'tracker', subjects, tools: ['*'], prompts: [], resources: [] };
  await change('PUT', '/v1/tenants/default/grants/everything', grant, true);
  await change('PUT', `${SERVER}/active-version?${WAIT}`, { version: '8.0.0' });
  url = product.serverUrl('tracker');
}, 300_000);

afterAll(async () => {
  await product?.stop();
  upstream?.closeAllConnections();
  upstream?.close();
});

/** A call of a tester of the new version. */
const call = (): Promise<RawAnswer> =>
  send(
    url,
    statelessRequest(
      'tools/call',
      { name: TOOL.name, arguments: {} },
      { token: alice, headers: { 'x-canary': 'yes' } },
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
    await change('PATCH', `${SERVER}?${WAIT}`, { responseGuard: { results: null, ...responseGuard } });
    await change('PUT', `${SERVER}/traffic?${WAIT}`, {
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
    const { body } = await product.registry('GET', `${SERVER}/traffic`);
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
