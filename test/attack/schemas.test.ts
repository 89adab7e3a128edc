// A server whose tools were approved with schemas meant to harm whoever reads them, and which answers otherwise than it was
// asked: on the real Envoy, through ext-authz and ext-proc (threats: malicious output schema; answers to other calls).

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
import type { Tool } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { pinnedTool } from '#test/support/answer-rules.ts';
import { type SessionGateway, startSessionGateway } from '#test/support/session-gateway.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const OUTPUT_INVALID = 'output_invalid';
const ANY = { type: 'object' };
const NUMBER = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
const TWICE = { oneOf: [{ $ref: '#' }, { $ref: '#' }] };

/** Tools by what is wrong with them, without the addresses that are known later. */
const HARMFUL: Readonly<Record<string, JsonObject>> = {
  'a pattern that takes for ever': { properties: { n: { pattern: '^(a+)+$' } }, required: ['n'] },
  'a look-around': { properties: { n: { pattern: '^(?=(a+)+$)' } } },
  'a reference to itself': { $ref: '#' },
  'two references to itself, a level down': {
    properties: { n: TWICE },
    additionalProperties: TWICE,
    items: TWICE,
  },
  'code in its names': {
    properties: { '"];process.exit(1)//': { type: 'null' } },
    required: ["'+process.exit(1)+'"],
  },
  'a prototype': JSON.parse('{"properties":{"__proto__":{"const":1}},"type":"object"}') as JsonObject,
  'a nest without end': Array.from({ length: 90 }).reduce<JsonObject>((not) => ({ not }), {}),
  'too many values': { enum: Array.from({ length: 25_000 }, (_, n) => n) },
};

let bench: SessionGateway;
let fetched = 0;
let received: JsonObject[] = [];
/** What the server says to any call, as events. */
let says: readonly Json[] | ((call: JsonObject) => readonly Json[]) = [];
const servers: Server[] = [];

const listen = async (server: Server): Promise<string> => {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const bodyOf = async (request: IncomingMessage): Promise<JsonObject> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonObject;
};

const hostile = (): Server =>
  createServer(async (request, response) => {
    const call = await bodyOf(request);
    received.push(call);
    const said = typeof says === 'function' ? says(call) : says;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(said.map((message) => `data: ${JSON.stringify(message)}\n\n`).join(''));
  });

const withTools = (tenant: Tenant, tools: readonly Tool[]): Tenant => ({
  ...tenant,
  servers: tenant.servers.map((server) => ({
    ...server,
    versions: server.versions.map((version) => ({ ...version, tools })),
  })),
});

beforeAll(async () => {
  bench = await startSessionGateway();
  const host = await listen(
    createServer((_, response) => {
      fetched += 1;
      response.end('{}');
    }),
  );
  const harmful = { ...HARMFUL, 'a reference elsewhere': { $ref: `${host}/schema` } };
  const tools = [
    pinnedTool('honest', { inputSchema: NUMBER, outputSchema: NUMBER }),
    ...Object.entries(harmful).flatMap(([name, schema]) => [
      pinnedTool(`in: ${name}`, { inputSchema: schema }),
      pinnedTool(`out: ${name}`, { inputSchema: ANY, outputSchema: schema }),
    ]),
  ];
  const tenant = tenantOf('acme', { evil: { '1.0.0': [await listen(hostile())] } });
  await bench.update(snapshotOf(1, withTools(tenant, tools)));
});
afterAll(async () => {
  await bench?.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});
beforeEach(() => {
  received = [];
  says = [];
});

/** The messages a client gets. */
const call = async (name: string, args: JsonObject): Promise<readonly JsonObject[]> => {
  const params = { name, arguments: args };
  const { text } = await bench.send('/t/acme/mcp/evil', { as: 'alice', rpc: 'tools/call', params });
  if (!text.startsWith('{')) {
    return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as JsonObject);
  }
  return [JSON.parse(text) as JsonObject];
};

const reasons = (messages: readonly JsonObject[]): readonly unknown[] =>
  messages.map(
    ({ error }) => ((error as JsonObject | undefined)?.['data'] as JsonObject | undefined)?.['reason'],
  );

const answer = (result: Json, id: Json = 1): JsonObject => ({ jsonrpc: '2.0', id, result });
const nested = (depth: number): Json => Array.from({ length: depth }).reduce<Json>((n) => ({ n }), 1);
const BAIT: JsonObject = { n: 'a'.repeat(50_000).concat('!'), deep: nested(50) };

describe('a schema that was meant to harm', () => {
  const names = [...Object.keys(HARMFUL), 'a reference elsewhere'];

  it.each(names)('closes its tool to calls: %s', async (name) => {
    expect(reasons(await call(`in: ${name}`, BAIT))).toEqual(['arguments_invalid']);
    expect(received).toEqual([]);
  });

  it.each(names)('keeps back its answers: %s', async (name) => {
    says = [answer({ content: [], structuredContent: BAIT })];
    expect(reasons(await call(`out: ${name}`, {}))).toEqual([OUTPUT_INVALID]);
  });

  it('was never a reason to ask another host, and the tool beside it works on', async () => {
    const honest = answer({ content: [], structuredContent: { n: 1 } });
    says = [honest];
    expect(await call('honest', { n: 1 })).toEqual([honest]);
    expect(fetched).toBe(0);
  });
});

describe('an answer to another call than was asked', () => {
  const honest = { content: [], structuredContent: { n: 1 } };

  it.each<[string, readonly Json[], readonly unknown[]]>([
    ['a result under another id', [answer(honest, 2)], [OUTPUT_INVALID]],
    ['a result under the id as a text', [answer(honest, '1')], [OUTPUT_INVALID]],
    [
      'an error under another id',
      [{ jsonrpc: '2.0', id: 2, error: { code: 1, message: 'x' } }],
      [OUTPUT_INVALID],
    ],
    [
      'two results',
      [answer(honest), answer({ ...honest, structuredContent: { n: 2 } })],
      [undefined, OUTPUT_INVALID],
    ],
    ['a result that is a list', [answer([honest])], ['answer_refused']],
    ['a list of tools', [answer({ tools: [{ name: 'honest', inputSchema: ANY }] })], [OUTPUT_INVALID]],
    [
      'a result beside an error',
      [{ ...answer(honest), error: { code: 1, message: 'x' } }],
      ['answer_refused'],
    ],
    [
      'a question with the outcome in it',
      [answer({ resultType: 'input_required', structuredContent: { n: 'x' } })],
      [OUTPUT_INVALID],
    ],
    [
      'an outcome that only looks like an error',
      [answer({ isError: 'true', structuredContent: { n: 'x' } })],
      [OUTPUT_INVALID],
    ],
  ])('is kept back: %s', async (_, said, expected) => {
    says = said;
    expect(reasons(await call('honest', { n: 1 }))).toEqual(expected);
  });

  it('stays an error where its text poses as a result', async () => {
    const posing = { jsonrpc: '2.0', id: 1, error: { code: -1, message: JSON.stringify(answer(honest)) } };
    says = [posing];
    const [got] = await call('honest', { n: 1 });
    expect(got).toEqual(posing);
    expect(got).not.toHaveProperty('result');
  });

  it('is not provoked by what objects inherit', async () => {
    says = (asked) => [answer({ content: [], structuredContent: { n: 1, sent: asked['params'] as Json } })];
    for (const key of ['constructor', 'toString', 'hasOwnProperty'])
      expect(reasons(await call('honest', { n: 1, [key]: { prototype: { n: 2 } } }))).toEqual([undefined]);
    expect(reasons(await call('honest', { constructor: { n: 1 } }))).toEqual(['arguments_invalid']);
  });
});
