// What an official MCP client makes of the response guard: a cut list is a list, a refused one an error of the call.

import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guardOrdersToJson } from '#core/guard-orders.ts';
import { REASONS } from '#core/reason.ts';
import { type GuardBench, ORDERS_HEADER, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard } from '#test/support/ext-proc-guard.ts';
import { ordersOff, ordersTools } from '#test/support/guarded-call.ts';

type Message = { readonly id?: string | number; readonly method?: string };

let bench: GuardBench;
let client: Client;
/** The answer to `tools/list`, as media type and body. */
let answerList: (id: unknown) => readonly [string, string];

const INITIALIZED = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'test', version: '1' },
};

// In the product ext-authz gives the orders; here the client's own fetch does, from the message it sends.
const fetchWithOrders: typeof fetch = (input, init) => {
  const message = typeof init?.body === 'string' ? (JSON.parse(init.body) as Message) : {};
  const call = { ...(message.id === undefined ? {} : { jsonRpcId: message.id }) };
  const orders = message.method === 'tools/list' ? ordersTools(['visible'], call) : ordersOff(call);
  const headers = new Headers(init?.headers);
  headers.set(ORDERS_HEADER, JSON.stringify(guardOrdersToJson(orders)));
  return fetch(input, { ...init, headers });
};

beforeAll(async () => {
  bench = await startGuardBench(createTestGuard({ maxBodyBytes: 20_000, maxEventBytes: 10_000 }).start);
  bench.server = async (request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const { id, method } = JSON.parse(await text(request)) as Message;
    if (method === 'initialize') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: INITIALIZED }));
    } else if (method === 'tools/list') {
      const [type, body] = answerList(id);
      response.writeHead(200, { 'content-type': type }).end(body);
    } else {
      response.writeHead(202).end();
    }
  };
  client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(bench.url), { fetch: fetchWithOrders });
  // The SDK's own types disagree under exactOptionalPropertyTypes: `sessionId` is optional on one side only.
  await client.connect(transport as Transport);
});
afterAll(async () => {
  await client?.close();
  await bench?.stop();
});

const listOf = (id: unknown, names: readonly string[]): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    result: { tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) },
  });

const FORMS = [
  ['JSON', (body: string) => ['application/json', body] as const],
  [
    'events',
    (body: string) => ['text/event-stream', `: hello\n\nevent: message\ndata: ${body}\n\n`] as const,
  ],
] as const;

describe.each(FORMS)('an MCP client that gets its list as %s', (_, form) => {
  it('sees the visible tools', async () => {
    answerList = (id) => form(listOf(id, ['hidden', 'visible']));
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(['visible']);
  });

  it.each([
    ['answer_refused', (id: unknown) => listOf(id, ['twice', 'twice'])],
    ['answer_too_large', (id: unknown) => listOf(id, ['x'.repeat(30_000)])],
  ] as const)('hears %s as the error of its call, at once', async (reason, body) => {
    answerList = (id) => form(body(id));
    const from = performance.now();
    await expect(client.listTools()).rejects.toMatchObject({
      code: REASONS[reason].jsonRpcCode,
      data: { reason },
    });
    expect(performance.now() - from).toBeLessThan(2_000);
  });
});
