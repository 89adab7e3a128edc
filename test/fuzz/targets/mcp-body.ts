// The body of a POST: whatever our parser takes must mean the same to JSON.parse, to the schemas of the first official SDK,
// and to a server of the second, which is asked for real. What they refuse and we take harms nobody; what they read
// otherwise is a call that nobody judged.

import { isDeepStrictEqual } from 'node:util';
import { CallToolRequestSchema, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import type { McpCall } from '#core/mcp-call.ts';
import { parseMcpCall } from '#ext-authz/request/parse-mcp-call.ts';
import { demandOneReading, hasPrototypeKey } from '#test/fuzz/json-agreement.ts';
import { anyBytes, asJson, changed, demand, type Target } from '#test/fuzz/target.ts';
import { httpRequest, legacyPost, META } from '#test/support/http-requests.ts';

const LIMITS = { maxBodyBytes: 65_536 };

const SNIPPETS = [
  ...['"name":"other",', '"method":"ping",', '"\\u006dethod":"ping",', '"Name":"other",', '"ｎame":"other",'],
  ...['"__proto__":{"name":"other"},', '"__pr\\u006fto__":1,', '"id":2,', '"params":{},', '"jsonrpc":"2.0",'],
  ...[
    '9007199254740993',
    '-0',
    '1e400',
    '1E2',
    '0.1',
    '01',
    '\\ud800',
    '\\udc00',
    '\\ud83d\\ude00',
    'é',
    '\u2028',
  ],
  ...[
    '\ufeff',
    '\\u0000',
    '\0',
    ' ',
    '\n',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '/**/',
    '//',
    "'",
    'null',
    'NaN',
  ],
  ...['true', '"arguments":{"a":2},', '"arguments":null,', '"_meta":{},', '"error":{},', '"result":{},'],
];

const name = fc.oneof(
  fc.constantFrom('lookup', 'other', '__proto__', 'constructor', 'é', '😀', ''),
  fc.string(),
);
const call = fc.record(
  {
    jsonrpc: fc.constantFrom('2.0', '1.0', 2),
    id: fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.double()),
    method: fc.constantFrom(
      'tools/call',
      'tools/list',
      'prompts/get',
      'resources/read',
      'ping',
      'initialize',
    ),
    params: fc.record(
      {
        name,
        uri: name,
        arguments: fc.jsonValue(),
        _meta: fc.constantFrom({}, META),
        cursor: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['jsonrpc', 'method'] },
);

/** The headers an honest client of the stateless era mirrors; the parser compares them with the body. */
const statelessRequest = (body: Buffer, call: Record<string, unknown>) => {
  const { name, uri } = (call['params'] ?? {}) as { name?: unknown; uri?: unknown };
  const mirrored = name ?? uri;
  const asWritten = (text: string) =>
    /^[\x21-\x7e]+$/.test(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
  return httpRequest(
    'POST',
    {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': String(call['method']),
      ...(typeof mirrored === 'string' ? { 'mcp-name': asWritten(mirrored) } : {}),
    },
    body,
  );
};

const demandSame = (ours: unknown, theirs: unknown, what: string): void =>
  demand(
    isDeepStrictEqual(ours, theirs),
    `${what} is ${JSON.stringify(theirs)} to the SDK, not ${JSON.stringify(ours)}`,
  );

const compareWithSchemas = (call: McpCall, message: unknown): void => {
  const read = JSONRPCMessageSchema.safeParse(message);
  if (!read.success || call.kind === 'response') return;
  const { method, id } = read.data as { method?: string; id?: string | number };
  demandSame(call.method, method, 'method');
  demandSame(call.id, id, 'id');
  const asked = CallToolRequestSchema.safeParse(message);
  if (call.method !== 'tools/call' || !asked.success) return;
  demandSame(call.targets[0]?.name, asked.data.params.name, 'the tool');
  demandSame(call.arguments, asked.data.params.arguments ?? {}, 'arguments');
};

type Called = { readonly name: string; readonly arguments?: Record<string, unknown> | undefined };

/** What a server of the SDK is called with; undefined where it refuses. */
const askServer = async (body: Buffer): Promise<Called | undefined> => {
  let called: Called | undefined;
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'fuzz', version: '1.0.0' }, { capabilities: { tools: {} } });
    server.server.setRequestHandler('tools/call', ({ params }) => {
      called = params;
      return { content: [] };
    });
    return server;
  });
  const { headers } = legacyPost(body);
  const plain = [...headers].map(([key, [value = '']]): [string, string] => [key, value]);
  const request = new Request('http://127.0.0.1/mcp', {
    method: 'POST',
    headers: plain,
    body: new Uint8Array(body),
  });
  await (await handler.fetch(request)).text();
  return called;
};

const compareWithServer = async (call: McpCall, body: Buffer): Promise<void> => {
  if (call.era !== 'legacy' || call.method !== 'tools/call') return;
  const called = await askServer(body);
  if (called === undefined) return;
  demandSame(call.targets[0]?.name, called.name, 'the tool it runs');
  demandSame(call.arguments, called.arguments ?? {}, 'what it runs it with');
};

const compare = async (call: McpCall, body: Buffer): Promise<void> => {
  const message = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  demandOneReading(body, message);
  demand(!hasPrototypeKey(message), 'took a key __proto__');
  if (call.kind === 'response') return;
  demandSame(call.method, message['method'], 'method');
  demandSame(call.params, message['params'] ?? {}, 'params');
  compareWithSchemas(call, message);
  await compareWithServer(call, body);
};

const readJson = (body: Buffer): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

export const mcpBody: Target = {
  name: 'mcp-body',
  shortRuns: 1_500,
  inputs: (corpus) =>
    fc.oneof(
      { weight: 6, arbitrary: changed(corpus, SNIPPETS) },
      { weight: 3, arbitrary: asJson(call) },
      { weight: 1, arbitrary: anyBytes },
    ),
  holds: async (body) => {
    for (const request of [legacyPost(body), statelessRequest(body, readJson(body))]) {
      const { result } = parseMcpCall(request, LIMITS);
      if (result.ok) await compare(result.value, body);
      else
        demand(result.error.kind === 'deny' && result.error.reason.length > 0, 'a refusal without a reason');
    }
  },
};
