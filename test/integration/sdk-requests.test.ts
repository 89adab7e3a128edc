// Whatever the official clients of both lines send must be understood: every request they make on the way to a real
// SDK server is parsed first, and a refused one fails the test. Strictness that breaks clients is a defect too.

import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { createMcpHandler, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { McpCall } from '#core/mcp-call.ts';
import { parseMcpCall } from '#ext-authz/request/parse-mcp-call.ts';
import { httpRequest } from '#test/support/http-requests.ts';

/** Beyond ASCII, so that the stateless client must encode it into its header. */
const RESOURCE = 'note://any/größe';
const INFO = { name: 'test', version: '1.0.0' };
const ENDPOINT = new URL('http://127.0.0.1/mcp/test');

const createServer = (): McpServer => {
  const server = new McpServer(INFO, { capabilities: { logging: {} } });
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('lookup', { inputSchema: z.object({ n: z.number() }) }, ({ n }) => text(String(n)));
  server.registerPrompt('greet', { argsSchema: z.object({ who: z.string() }) }, ({ who }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: who } }],
  }));
  const read = (uri: URL) => ({ contents: [{ uri: uri.href, text: 'x' }] });
  server.registerResource('notes', 'note://one', {}, read);
  server.registerResource('any', new ResourceTemplate('note://any/{id}', { list: undefined }), {}, read);
  return server;
};

/** A fetch that parses each request like the gateway before the SDK's own server answers it. */
const parsingFetch = () => {
  const handler = createMcpHandler(createServer);
  const calls: McpCall[] = [];
  // Clients swallow some failures, of streams and notifications above all: they are counted here.
  const refusals: string[] = [];
  const fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(url, init);
    const body = Buffer.from(await request.clone().arrayBuffer());
    const parsed = parseMcpCall(httpRequest(request.method, Object.fromEntries(request.headers), body), {
      maxBodyBytes: 1_000_000,
    });
    if (!parsed.result.ok) {
      const { reason, publicFacts } = parsed.result.error;
      refusals.push(`${request.method} ${reason} ${JSON.stringify(publicFacts)} ${body}`);
      throw new Error('refused');
    }
    calls.push(parsed.result.value);
    return handler.fetch(request);
  };
  return { fetch, calls, refusals };
};

const methodsOf = (calls: readonly McpCall[]): string[] => calls.map((call) => call.method ?? call.kind);

const useEverything = async (client: ModernClient | LegacyClient): Promise<void> => {
  await client.listTools();
  await client.callTool({ name: 'lookup', arguments: { n: 1 } });
  await client.listPrompts();
  await client.getPrompt({ name: 'greet', arguments: { who: 'you' } });
  await client.listResources();
  await client.listResourceTemplates();
  await client.readResource({ uri: RESOURCE });
};

const EVERYTHING = [
  ...['tools/list', 'tools/call', 'prompts/list', 'prompts/get', 'resources/list'],
  ...['resources/templates/list', 'resources/read'],
];

describe('the v2 client', () => {
  it.each<['auto' | 'legacy' | { pin: string }, string]>([
    [{ pin: '2026-07-28' }, 'stateless'],
    ['auto', 'stateless'],
    ['legacy', 'legacy'],
  ])('is understood in mode %j, in the %s era', async (mode, era) => {
    const { fetch, calls, refusals } = parsingFetch();
    const client = new ModernClient(INFO, { versionNegotiation: { mode } });
    await client.connect(new ModernTransport(ENDPOINT, { fetch }));
    await useEverything(client);
    await client.close();
    expect(methodsOf(calls)).toEqual(expect.arrayContaining(EVERYTHING));
    const of = (name: string) => calls.find(({ method }) => method === name);
    const targets = [{ kind: 'tool', name: 'lookup' }];
    expect(of('tools/call')).toMatchObject({ era, targets, arguments: { n: 1 } });
    expect(of('resources/read')?.targets).toEqual([{ kind: 'resource', name: RESOURCE }]);
    expect(refusals).toEqual([]);
  });
});

describe('the v1 client', () => {
  it('is understood, from its handshake to its stream', async () => {
    const { fetch, calls, refusals } = parsingFetch();
    const client = new LegacyClient(INFO);
    await client.connect(new LegacyTransport(ENDPOINT, { fetch }) as Transport);
    await useEverything(client);
    await client.ping();
    await client.setLoggingLevel('info').catch(() => undefined);
    await client.close();
    expect(methodsOf(calls)).toEqual(
      expect.arrayContaining(['initialize', 'notifications/initialized', 'stream', 'ping', ...EVERYTHING]),
    );
    expect(calls.every((call) => call.era === 'legacy')).toBe(true);
    expect(refusals).toEqual([]);
  });
});
