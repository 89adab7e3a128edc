// The sample MCP servers, called without a gateway by the real SDK clients of both lines.

import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tool } from '#core/server.ts';
import { APPLICATION_IDS, CONTOSO_TID } from '#demo/directory.ts';
import type { RunningServer } from '#demo/servers/http-front.ts';
import { startReports } from '#demo/servers/reports/server.ts';
import { REPORTS_TOOLS } from '#demo/servers/reports/tools.ts';
import { createTokenCheck } from '#demo/servers/token-check.ts';
import { startTracker } from '#demo/servers/tracker/server.ts';
import { TRACKER_TOOLS } from '#demo/servers/tracker/tools.ts';

const ISSUER = `http://127.0.0.1:9000/${CONTOSO_TID}/v2.0`;
const ALICE = '10000000-aaaa-4aaa-8aaa-00000000000a';

const stranger = await generateKeyPair('RS256');
const keys = await generateKeyPair('RS256');
const keySet = createLocalJWKSet({
  keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }],
});

const sign = (claims: Record<string, unknown> = {}, key = keys.privateKey): Promise<string> => {
  const base = {
    tid: CONTOSO_TID,
    oid: ALICE,
    sub: 'alice-at-tracker',
    idtyp: 'user',
    scp: 'tracker.access',
  };
  const issued = Math.floor(Date.now() / 1000);
  const payload = {
    iss: ISSUER,
    aud: APPLICATION_IDS.trackerApi,
    azp: APPLICATION_IDS.gatewayTracker,
    ...base,
  };
  return new SignJWT({ ...payload, iat: issued, exp: issued + 600, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .sign(key);
};

const checkFor = (audience: string) => createTokenCheck({ issuers: [ISSUER], audience, keys: keySet });

let tracker: RunningServer;
let reports: RunningServer;

beforeAll(async () => {
  tracker = await startTracker({ port: 0, checkToken: checkFor(APPLICATION_IDS.trackerApi), debug: true });
  reports = await startReports({ port: 0, checkToken: checkFor(APPLICATION_IDS.reportsApi), debug: false });
});

afterAll(async () => {
  await tracker.stop();
  await reports.stop();
});

const urlOf = (server: RunningServer): URL => new URL(`http://127.0.0.1:${server.port}/mcp`);
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

const connectModern = async (server: RunningServer, token: string, mode: 'auto' | 'legacy') => {
  const client = new ModernClient({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
  await client.connect(new ModernTransport(urlOf(server), { requestInit: bearer(token) }));
  return client;
};

const connectLegacy = async (server: RunningServer, token: string) => {
  const client = new LegacyClient({ name: 'test', version: '1.0.0' });
  const transport = new LegacyTransport(urlOf(server), { requestInit: bearer(token) });
  await client.connect(transport as Transport);
  return { client, transport };
};

/** What a client must see of a published tool, and nothing beside it that would differ from the pin. */
const pinned = (tools: readonly Tool[]) =>
  tools.map(({ name, title, description, inputSchema, outputSchema, annotations }) => ({
    name,
    title,
    description,
    inputSchema,
    outputSchema,
    annotations,
  }));

const served = (tools: readonly { name: string }[]) =>
  tools.map((tool) => {
    const { name, title, description, inputSchema, outputSchema, annotations } = tool as unknown as Tool;
    return { name, title, description, inputSchema, outputSchema, annotations };
  });

const post = (server: RunningServer, token: string | undefined) =>
  fetch(urlOf(server), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  });

describe('tracker', () => {
  it('serves exactly the tools it publishes to a client of the stateless era', async () => {
    const client = await connectModern(tracker, await sign(), 'auto');
    const { tools } = await client.listTools();
    expect(served(tools)).toEqual(pinned(TRACKER_TOOLS));
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    await client.close();
  });

  it.each(['v1', 'v2'])(
    'serves exactly the tools it publishes to a legacy client of the %s SDK',
    async (line) => {
      const token = await sign();
      const client =
        line === 'v1'
          ? (await connectLegacy(tracker, token)).client
          : await connectModern(tracker, token, 'legacy');
      expect(served((await client.listTools()).tools)).toEqual(pinned(TRACKER_TOOLS));
      await client.close();
    },
  );

  it('creates, reads and closes an issue across both eras', async () => {
    const token = await sign();
    const modern = await connectModern(tracker, token, 'auto');
    const { client: legacy } = await connectLegacy(tracker, token);
    const created = await modern.callTool({ name: 'create_issue', arguments: { title: 'It rains in' } });
    expect(created.structuredContent).toMatchObject({
      status: 'open',
      priority: 'medium',
      reporter: `user:${ALICE}`,
    });
    const { id } = created.structuredContent as { id: number };
    await legacy.callTool({ name: 'close_issue', arguments: { id } });
    const read = await modern.callTool({ name: 'get_issue', arguments: { id } });
    expect(read.structuredContent).toMatchObject({ id, status: 'closed' });
    await Promise.all([modern.close(), legacy.close()]);
  });

  it('finds documents that contain every word', async () => {
    const client = await connectModern(tracker, await sign(), 'auto');
    const found = await client.callTool({ name: 'search_documents', arguments: { query: 'critical issue' } });
    const { matches } = found.structuredContent as { matches: { id: string }[] };
    expect(matches.map((match) => match.id).toSorted()).toEqual(['on-call', 'support-hours']);
    await client.close();
  });

  it('answers a missing issue and bad arguments as errors of the tool', async () => {
    const client = await connectModern(tracker, await sign(), 'auto');
    expect(await client.callTool({ name: 'get_issue', arguments: { id: 9999 } })).toMatchObject({
      isError: true,
    });
    expect(await client.callTool({ name: 'get_issue', arguments: { id: 'one' } })).toMatchObject({
      isError: true,
    });
    await client.close();
  });

  it('tells whose token it got, and never the token', async () => {
    const token = await sign();
    const client = await connectModern(tracker, token, 'auto');
    const answer = await client.callTool({ name: 'whoami', arguments: {} });
    expect(answer.structuredContent).toEqual({
      kind: 'user',
      sub: 'alice-at-tracker',
      oid: ALICE,
      tid: CONTOSO_TID,
      app: APPLICATION_IDS.gatewayTracker,
      aud: APPLICATION_IDS.trackerApi,
      scopes: ['tracker.access'],
      roles: [],
    });
    const seen = await fetch(`http://127.0.0.1:${tracker.port}/debug/seen`).then((response) =>
      response.text(),
    );
    expect(JSON.parse(seen).at(-1)).toMatchObject({ oid: ALICE, aud: APPLICATION_IDS.trackerApi });
    expect(JSON.stringify(answer) + seen).not.toContain(token.slice(0, 40));
    await client.close();
  });

  it.each([
    ['no token', async () => undefined],
    ["the gateway's own token", () => sign({ aud: APPLICATION_IDS.gatewayTracker })],
    ["the other server's token", () => sign({ aud: APPLICATION_IDS.reportsApi })],
    ['an expired token', () => sign({ exp: 1_000 })],
    ['a token of an unknown issuer', () => sign({ iss: 'http://127.0.0.1:9000/other/v2.0' })],
    ['a token with a forged signature', () => sign({}, stranger.privateKey)],
  ])('refuses %s with 401', async (_title, make) => {
    const response = await post(tracker, await make());
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
  });
});

describe('reports', () => {
  const forReports = (claims: Record<string, unknown> = {}) =>
    sign({ aud: APPLICATION_IDS.reportsApi, azp: APPLICATION_IDS.gatewayReports, ...claims });

  it('serves exactly the tools it publishes, in a session', async () => {
    const { client, transport } = await connectLegacy(reports, await forReports());
    expect(served((await client.listTools()).tools)).toEqual(pinned(REPORTS_TOOLS));
    expect(transport.sessionId).toMatch(/^[\w-]{36}$/);
    await client.close();
  });

  it('tells the progress of a report while it is built', async () => {
    const { client } = await connectLegacy(reports, await forReports());
    const steps: number[] = [];
    const result = await client.callTool(
      { name: 'build_report', arguments: { title: 'rain', stepMs: 5 } },
      undefined,
      {
        onprogress: ({ progress }) => steps.push(progress),
      },
    );
    expect(result.structuredContent).toMatchObject({ title: 'rain', steps: { length: 6 } });
    expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
    await client.close();
  });

  it('sends an event a second and stops when the call is cancelled', async () => {
    const { client } = await connectLegacy(reports, await forReports());
    const events: unknown[] = [];
    const cancel = new AbortController();
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      events.push(params.data);
      cancel.abort();
    });
    const watching = client.callTool({ name: 'watch_queue', arguments: { seconds: 60 } }, undefined, {
      signal: cancel.signal,
    });
    await expect(watching).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(events).toHaveLength(1);
    await client.close();
  });

  it("does not let one caller use another's session", async () => {
    const { client, transport } = await connectLegacy(reports, await forReports());
    const sessionId = transport.sessionId ?? '';
    const bob = await forReports({ oid: '10000000-bbbb-4bbb-8bbb-00000000000b', sub: 'bob' });
    const response = await fetch(urlOf(reports), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${bob}`,
        'mcp-session-id': sessionId,
      },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    });
    expect(response.status).toBe(404);
    await client.close();
  });

  it('keeps the log of what it saw to itself unless debugging is on', async () => {
    const response = await fetch(`http://127.0.0.1:${reports.port}/debug/seen`);
    expect(response.status).toBe(404);
  });
});
