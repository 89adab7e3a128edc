// WebSockets through the real Envoy, ext-authz and ext-proc with the default policy: who may open one, what goes through
// it, and everything that ends it.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Grant } from '#core/grant.ts';
import type { KillSwitch } from '#core/kill-switch.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { ENTRYPOINTS } from '#ext-authz/policy/manifest.ts';
import { createWasmEngine } from '#ext-authz/policy/wasm-engine.ts';
import { loadPolicyModule } from '#runtime/policy/wasm-module.ts';
import { tool } from '#test/support/policy-world.ts';
import { type SessionGateway, startSessionGateway } from '#test/support/session-gateway.ts';
import {
  openSocket,
  type SocketClient,
  type SocketServer,
  startSocketServer,
} from '#test/support/web-socket.ts';
import { until } from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const IDLE_SECONDS = 4;
const ALL: Grant = {
  id: 'all',
  serverId: 'live',
  subjects: ['alice', 'bob'].map((id) => ({ kind: 'user', id })),
  tools: ['*'],
  prompts: ['*'],
  resources: ['*'],
};

let running: SessionGateway;
let live: SocketServer;
let plain: Upstream;
let sequence = 0;

type Changes = {
  readonly server?: Partial<McpServer>;
  readonly grants?: readonly Grant[];
  readonly killSwitches?: readonly KillSwitch[];
};

const limited = (id: string, changes: Partial<Grant>): Grant => ({
  ...ALL,
  id,
  subjects: [{ kind: 'user', id }],
  ...changes,
});

/** The tenant as it is at first: alice and bob may use all of the server, others parts of it. */
const tenant = ({ server = {}, grants = [], killSwitches = [] }: Changes = {}): Tenant => {
  const base = tenantOf('default', { live: { '1.0.0': [live.url] }, plain: { '1.0.0': [plain.url] } });
  const [first, second] = base.servers as [McpServer, McpServer];
  const versions = first.versions.map((version) => ({
    ...version,
    transport: 'websocket' as const,
    tools: [tool('say'), tool('shout')],
  }));
  return {
    ...base,
    allowedOrigins: ['https://app.example'],
    killSwitches,
    servers: [{ ...first, versions, ...server }, second],
    grants: [
      ALL,
      { ...ALL, id: 'plain', serverId: 'plain' },
      limited('one-tool', { tools: ['say'] }),
      limited('no-prompts', { prompts: ['greeting'] }),
      limited('no-resources', { resources: [] }),
      ...grants,
    ],
  };
};

const update = async (changes: Changes = {}): Promise<void> => {
  sequence += 1;
  await running.update(snapshotOf(sequence, tenant(changes)));
};

const url = (server = 'live') => `${running.gateway.origin}/t/default/mcp/${server}`;

const open = (as: string | undefined, headers: Record<string, string | undefined> = {}, method = 'GET') =>
  openSocket(url(), { ...(as === undefined ? {} : { authorization: `Bearer ${as}` }), ...headers }, method);

const reasonOf = ({ text }: { readonly text: string }): unknown => JSON.parse(text).error.data.reason;

/** A WebSocket that says something now and then, so that silence does not end it. */
const talking = async (as: string): Promise<SocketClient> => {
  const client = await open(as);
  expect(client.status, client.text).toBe(101);
  const timer = setInterval(() => (client.isOpen() ? client.send('tick') : clearInterval(timer)), 300);
  await until('it is heard', () => client.received.includes('echo:tick'));
  return client;
};

beforeAll(async () => {
  live = await startSocketServer();
  plain = await startUpstream('plain');
  const module = loadPolicyModule(readFileSync(DEFAULT_BUNDLE.replace(/\.json$/, '.wasm')), {
    data: {},
    entrypoints: ENTRYPOINTS,
  });
  const engine = createWasmEngine({ module, revision: 'default', readsArguments: false });
  running = await startSessionGateway({
    policy: createPolicy({ holder: { current: () => engine } }),
    streamIdleSeconds: IDLE_SECONDS,
  });
  await update();
});
afterEach(() => update());
afterAll(async () => {
  await running?.stop();
  await live?.stop();
  await plain?.stop();
});

describe('a WebSocket', () => {
  it('carries messages both ways, for a caller who may use all of the server', async () => {
    const client = await open('alice', { origin: 'https://app.example', 'sec-websocket-protocol': 'mcp' });
    expect([client.status, client.headers['upgrade']]).toEqual([101, 'websocket']);
    const long = 'x'.repeat(40_000);
    client.send('{"jsonrpc":"2.0","id":1,"method":"ping"}');
    client.send(long);
    await until('both came back', () => client.received.length === 2);
    expect(client.received).toEqual(['echo:{"jsonrpc":"2.0","id":1,"method":"ping"}', `echo:${long}`]);
    client.close();
  });

  it('is opened without the caller’s token and without what the gateway notes', async () => {
    (await open('alice')).close();
    const headers = live.opened.at(-1) ?? {};
    expect(headers['authorization']).toBeUndefined();
    expect(Object.keys(headers).filter((name) => name.startsWith('x-mcpgw-'))).toEqual([]);
  });

  it('ends when nothing is said for too long, and not before', async () => {
    const [quiet, busy] = [await open('alice'), await talking('alice')];
    const tookMs = await until('silence ends', () => !quiet.isOpen(), 30_000);
    expect(tookMs).toBeGreaterThan(IDLE_SECONDS * 500);
    expect(busy.isOpen()).toBe(true);
    busy.close();
  });

  it('ends with the server’s side of it', async () => {
    live.answerWith('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n');
    expect((await open('alice')).status).toBe(403);
    live.answerWith(undefined);
  });
});

describe('an opening is refused', () => {
  it.each([
    ['of a stranger', undefined, {}, 401, 'token_missing'],
    ['of somebody without access', 'mallory', {}, 403, 'caller_not_granted'],
    ['of a caller with one tool of two', 'one-tool', {}, 403, 'websocket_needs_full_access'],
    ['of a caller with one prompt', 'no-prompts', {}, 403, 'websocket_needs_full_access'],
    ['of a caller without resources', 'no-resources', {}, 403, 'websocket_needs_full_access'],
    ['from another web page', 'alice', { origin: 'https://evil.example' }, 403, 'origin_forbidden'],
    ['of another version', 'alice', { 'sec-websocket-version': '12' }, 400, 'header_invalid'],
    ['without a key', 'alice', { 'sec-websocket-key': undefined }, 400, 'header_invalid'],
    ['with a key of another length', 'alice', { 'sec-websocket-key': 'AAAA' }, 400, 'header_invalid'],
    ['in a session of the other transport', 'alice', { 'mcp-session-id': 'x' }, 400, 'header_invalid'],
    ['of another revision', 'alice', { 'mcp-protocol-version': '1.0' }, 400, 'protocol_version_unsupported'],
  ])('%s', async (_, as, headers, status, reason) => {
    const opened = live.opened.length;
    const client = await open(as, headers);
    expect([client.status, reasonOf(client)]).toEqual([status, reason]);
    expect(live.opened.length).toBe(opened);
  });

  it('with another method, of which Envoy would show no body', async () => {
    const opened = live.opened.length;
    for (const method of ['POST', 'DELETE'])
      expect(reasonOf(await open('alice', {}, method))).toBe('header_invalid');
    expect(live.opened.length).toBe(opened);
  });

  it('to another protocol, by Envoy itself', async () => {
    const client = await open('alice', { upgrade: 'tcp' });
    expect([client.status, reasonOf(client)]).toEqual([403, 'header_invalid']);
  });

  it('over HTTP/2 (RFC 8441), which is not offered: it is no call that anybody judges', async () => {
    const opened = live.opened.length;
    const session = connect(running.gateway.origin);
    await once(session, 'remoteSettings');
    expect(session.remoteSettings.enableConnectProtocol).not.toBe(true);
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/t/default/mcp/live',
      authorization: 'Bearer alice',
    });
    const [answered] = await Promise.race([
      once(stream, 'response').then(([headers]) => [headers[':status']]),
      once(stream, 'close').then(() => ['ended']),
    ]).catch(() => ['ended']);
    expect(answered).toBe('ended');
    session.destroy();
    expect(live.opened.length).toBe(opened);
  });

  it('of a caller whom a limit on arguments binds', async () => {
    const limit = { name: 'short', tool: 'say', pointer: '/text', maxLength: 5, exceptGroups: [] };
    await update({ server: { constraints: [limit] } });
    expect(reasonOf(await open('alice'))).toBe('websocket_needs_full_access');
  });

  it('of a server that is spoken to by POST, and a POST to one that is not', async () => {
    const served = plain.seen.length;
    const client = await openSocket(url('plain'), { authorization: 'Bearer alice' });
    expect([client.status, reasonOf(client)]).toEqual([400, 'websocket_refused']);
    expect(plain.seen.length).toBe(served);
    const opened = live.opened.length;
    const post = await running.send('/t/default/mcp/live', { as: 'alice' });
    expect([post.status, JSON.parse(post.text)]).toMatchObject([
      400,
      { id: 1, error: { data: { reason: 'websocket_required' } } },
    ]);
    const stream = await running.send('/t/default/mcp/live', { as: 'alice', method: 'GET' });
    expect(reasonOf(stream)).toBe('websocket_required');
    expect(live.opened.length).toBe(opened);
  });
});

describe('an open WebSocket is ended', () => {
  const thrown = (target: KillSwitch['target']): KillSwitch =>
    ({
      id: 'off',
      target,
      reason: 'test',
      actor: 'test',
      at: new Date(0).toISOString(),
    }) as unknown as KillSwitch;
  const principal = '["https://idp.example","alice"]';

  it.each([
    ['its caller is switched off', { killSwitches: [thrown({ kind: 'principal', principal })] }, true],
    [
      'one of its tools is switched off',
      { killSwitches: [thrown({ kind: 'tool', serverId: 'live', tool: 'say' })] },
      false,
    ],
    ['its server is switched off', { server: { enabled: false } }, false],
    ['a grant of its server changes', { grants: [limited('carol', { tools: ['say'] })] }, false],
  ] satisfies readonly [string, Changes, boolean][])('when %s', async (_, changes, othersStay) => {
    const [alice, bob] = [await talking('alice'), await talking('bob')];
    await update(changes);
    await until('it is ended', () => !alice.isOpen());
    if (othersStay) expect(bob.isOpen()).toBe(true);
    else await until('so is everybody else’s', () => !bob.isOpen());
    bob.close();
  });

  it('when an operator says so, also with a media type that would be let pass elsewhere', async () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
    live.answerWith(`${head}Content-Type: application/json\r\n`);
    const client = await talking('alice');
    live.answerWith(undefined);
    const event = {
      kind: 'terminate-streams',
      id: 'e',
      tenantId: 'default',
      serverId: 'live',
      actor: 'ops',
      at: '',
    };
    expect(running.terminate(event as unknown as Parameters<SessionGateway['terminate']>[0])).toBe(1);
    await until('it is ended', () => !client.isOpen());
  });

  it('but not when something else of the tenant changes', async () => {
    const client = await talking('alice');
    await update({ grants: [{ ...ALL, id: 'more', serverId: 'plain' }] });
    client.send('still there');
    await until('it goes on', () => client.received.includes('echo:still there'));
    client.close();
  });
});
