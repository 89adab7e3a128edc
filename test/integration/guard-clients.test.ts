// Official clients and servers of both lines on either side of the real Envoy, ext-authz and ext-proc: questions of a
// server to its client, and what it gives along with them, come through the response guard as the protocol wants.

import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client';
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer as LegacyServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import {
  acceptedContent,
  createMcpHandler,
  fromJsonSchema,
  inputRequired,
  McpServer,
} from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '#core/tenant.ts';
import { type SessionGateway, startSessionGateway } from '#test/support/session-gateway.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const NO_ARGUMENTS = { type: 'object', properties: {} } as const;
const FORM = {
  mode: 'form' as const,
  message: 'Delete it?',
  requestedSchema: {
    type: 'object' as const,
    properties: { sure: { type: 'boolean' as const } },
    required: ['sure'],
  },
};
const STATE = 'the state of the server';

const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });

/** A server of the stateless revision whose one tool asks before it acts, and says what came back to it. */
const modernServer = (): RequestListener => {
  const build = (): McpServer => {
    const server = new McpServer({ name: 'modern', version: '1.0.0' });
    server.registerTool('delete', { inputSchema: fromJsonSchema(NO_ARGUMENTS) }, (_args, { mcpReq }) => {
      const answer = acceptedContent<{ sure: boolean }>(mcpReq.inputResponses, 'confirm');
      if (answer !== undefined) return said(`${answer.sure} ${String(mcpReq.requestState())}`);
      const confirm = inputRequired.elicit({ message: FORM.message, requestedSchema: FORM.requestedSchema });
      return inputRequired({ inputRequests: { confirm }, requestState: STATE });
    });
    return server;
  };
  const handle = toNodeHandler(createMcpHandler(build));
  // Node's own type does not satisfy the SDK's under exactOptionalPropertyTypes.
  return (request, response) => void handle(request as NodeIncomingMessageLike, response);
};

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body === '' ? undefined : JSON.parse(body);
};

/** A server with sessions whose one tool asks its client in the middle of a call. */
const legacyServer = (): RequestListener => {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const server = new LegacyServer({ name: 'legacy', version: '1.0.0' });
    server.registerTool('delete', {}, async ({ sendNotification, requestId }) => {
      await sendNotification({
        method: 'notifications/progress',
        params: { progressToken: requestId, progress: 1 },
      });
      const answer = await server.server.elicitInput(FORM);
      return said(`${answer.action} ${String(answer.content?.['sure'])}`);
    });
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => `upstream-${sessions.size + 1}`,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await server.connect(transport as Transport);
    return transport;
  };
  const serve: RequestListener = async (request, response) => {
    const known = sessions.get(String(request.headers['mcp-session-id']));
    await (known ?? (await open())).handleRequest(request, response, await bodyOf(request));
  };
  return serve;
};

let bench: SessionGateway;
const servers: Server[] = [];

const listen = async (serve: RequestListener): Promise<string> => {
  const server = createServer(serve);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
};

/** The tenant with the tool of both servers pinned as they describe it. */
const pinned = (tenant: Tenant, inputSchemas: Readonly<Record<string, object>>): Tenant => ({
  ...tenant,
  servers: tenant.servers.map((server) => ({
    ...server,
    versions: server.versions.map((version) => ({
      ...version,
      protocolVersions: ['2025-11-25', '2026-07-28'],
      tools: [
        {
          name: 'delete',
          inputSchema: inputSchemas[server.id] as never,
          requiredScopes: [],
          tags: [],
          idempotent: false,
        },
      ],
    })),
  })),
});

beforeAll(async () => {
  bench = await startSessionGateway();
  const [modern, legacy] = [await listen(modernServer()), await listen(legacyServer())];
  const tenant = tenantOf('acme', { modern: { '1.0.0': [modern] }, legacy: { '1.0.0': [legacy] } });
  await bench.update(
    snapshotOf(1, pinned(tenant, { modern: NO_ARGUMENTS, legacy: { type: 'object', properties: {} } })),
  );
});
afterAll(async () => {
  await bench?.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const headers = { authorization: 'Bearer alice' };
const urlOf = (server: string): URL => new URL(`${bench.gateway.origin}/t/acme/mcp/${server}`);

describe('a server that asks its client', () => {
  it('gets its state back in the stateless era, which the client held sealed', async () => {
    const client = new ModernClient(
      { name: 'test', version: '1.0.0' },
      { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const asked: string[] = [];
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      asked.push(params.message);
      return { action: 'accept', content: { sure: true } };
    });
    const seen: string[] = [];
    const spying: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      seen.push(await response.clone().text());
      return response;
    };
    await client.connect(new ModernTransport(urlOf('modern'), { requestInit: { headers }, fetch: spying }));
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['delete']);
    const result = await client.callTool({ name: 'delete', arguments: {} });
    expect(result.content).toEqual([{ type: 'text', text: `true ${STATE}` }]);
    expect(asked).toEqual([FORM.message]);
    const rounds = seen.filter((text) => text.includes('requestState'));
    expect(rounds).toHaveLength(1);
    expect(rounds.join()).not.toContain(STATE);
    await client.close();
  });

  it('is answered in the older era, in the middle of a call, on the stream of that call', async () => {
    const client = new LegacyClient(
      { name: 'test', version: '1.0.0' },
      { capabilities: { elicitation: {} } },
    );
    client.setRequestHandler(ElicitRequestSchema, async () => ({
      action: 'accept',
      content: { sure: true },
    }));
    const transport = new LegacyTransport(urlOf('legacy'), { requestInit: { headers } });
    await client.connect(transport as Transport);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['delete']);
    const progress: number[] = [];
    const result = await client.callTool({ name: 'delete', arguments: {} }, undefined, {
      onprogress: (step) => void progress.push(step.progress),
    });
    expect(result.content).toEqual([{ type: 'text', text: 'accept true' }]);
    expect(progress).toEqual([1]);
    await client.close();
  });
});
