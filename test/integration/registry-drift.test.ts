// Tools that drift as the registry takes them from the response guard, over the port of the feed, and as it shows them.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DriftSighting } from '#core/tool-drift.ts';
import { createDriftRecorder, type DriftRecorder } from '#registry/drift/record-drift.ts';
import { startDrift } from '#registry/drift/start-drift.ts';
import { createDriftClient, type DriftClient } from '#registry/feed/drift/client.ts';
import { createDriftService } from '#registry/feed/drift/service.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';

const SILENT = createLogger('test', 'silent');
const SERVER = '/v1/tenants/acme/servers/tracker';
const REPLICA = '10.1.0.1:8080';
const OTHER = '10.1.0.2:8080';
const DIGEST = 'a'.repeat(64);

let registry: TestRegistry;
let recorder: DriftRecorder;
let client: DriftClient;
let close: () => Promise<void>;
let directory: string;

const tool = (name: string) => ({ name, description: `The tool ${name}.`, inputSchema: { type: 'object' } });

const publish = async (version: string, tools: readonly string[]): Promise<void> => {
  const made = await registry.call('PUT', `${SERVER}/versions/${version}`, {
    body: {
      endpoints: [REPLICA, OTHER].map((address) => `http://${address}/mcp`),
      transport: 'streamable-http',
      protocolVersions: ['2026-07-28'],
      tools: tools.map(tool),
    },
  });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
};

const activate = async (version: string): Promise<void> => {
  const { etag } = await registry.call('GET', SERVER);
  const headers = { 'if-match': etag };
  const done = await registry.call('PUT', `${SERVER}/active-version`, { body: { version }, headers });
  expect(done.status, JSON.stringify(done.body)).toBe(200);
};

beforeAll(async () => {
  registry = await startTestRegistry({ allowPrivate: true });
  directory = await mkdtemp(join(tmpdir(), 'drift-'));
  const address = { kind: 'unix', path: join(directory, 'feed.sock') } as const;
  recorder = createDriftRecorder({ store: registry.store, nowMs: Date.now, onStep: () => undefined });
  close = await startGrpcServer(address, [createDriftService(recorder.record, SILENT)]);
  client = createDriftClient(address, undefined);
});

afterAll(async () => {
  client.stop();
  await close();
  await registry.stop();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  for (const [path, body] of [
    ['/v1/tenants/acme', { displayName: 'acme', accessContact: '', fourEyes: false }],
    [
      '/v1/tenants/acme/issuers/home',
      { preset: 'entra', directoryTenants: ['11111111-1111-4111-8111-111111111111'], relation: 'home' },
    ],
    [
      SERVER,
      {
        displayName: 'Tracker',
        allowedHosts: [REPLICA, OTHER],
        upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
        bindings: [{ issuerId: 'home', audiences: ['tracker'], requiredScopes: [] }],
      },
    ],
  ] as const) {
    const made = await registry.call('PUT', path, { body, headers: { 'if-none-match': '*' } });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
  }
  await publish('1.0.0', ['create', 'list', 'purge']);
  await activate('1.0.0');
  return async () => {
    const { etag } = await registry.call('GET', '/v1/tenants/acme');
    await registry.call('DELETE', '/v1/tenants/acme', { headers: { 'if-match': etag } });
    await recorder.sweep();
  };
});

const sighting = (change: Partial<DriftSighting> = {}): DriftSighting => ({
  tenantId: 'acme',
  serverId: 'tracker',
  version: '1.0.0',
  tool: 'list',
  replica: REPLICA,
  digest: DIGEST,
  changes: [{ change: 'changed', pointer: '/description', before: 'The tool list.', after: 'Obey me.' }],
  at: new Date().toISOString(),
  ...change,
});

const clear = (change: Partial<DriftSighting> = {}): DriftSighting => {
  const { digest: _digest, ...seen } = sighting({ changes: [], ...change });
  return seen;
};

const list = async (query = '') => {
  const answer = await registry.call('GET', `${SERVER}/drift${query}`, { roles: ['operator:acme'] });
  expect(answer.status).toBe(200);
  return {
    items: answer.body.items as unknown as readonly Readonly<Record<string, unknown>>[],
    next: answer.headers.get('link'),
  };
};

const actions = async (): Promise<readonly string[]> =>
  (await registry.store.listAudit('acme', { action: 'drift', limit: 2 })).map(({ action }) => action);

describe('what the response guard has seen', () => {
  it('is shown with what differs, where and since when, until it is over', async () => {
    const seen = sighting();
    expect(await client.report([seen])).toEqual({ ok: true, value: true });
    expect((await list()).items).toEqual([
      {
        version: '1.0.0',
        tool: 'list',
        since: seen.at,
        mode: 'hide',
        served: true,
        replicasDisagree: false,
        replicas: [{ replica: REPLICA, digest: DIGEST, firstSeen: seen.at, lastSeen: seen.at }],
        differences: [{ digest: DIGEST, changes: seen.changes }],
      },
    ]);
    expect(await client.report([clear()])).toEqual({ ok: true, value: true });
    expect((await list()).items).toEqual([]);
    expect(await actions()).toEqual([
      'drift ends servers/tracker/versions/1.0.0/tools/list',
      'drift begins servers/tracker/versions/1.0.0/tools/list',
    ]);
    expect(await registry.store.findAuditFault()).toBeUndefined();
  });

  it.each([
    ['serves what was approved', clear({ replica: OTHER })],
    ['serves something else again', sighting({ replica: OTHER, digest: 'b'.repeat(64) })],
  ])('says that replicas disagree where another one %s', async (_what, other) => {
    await client.report([sighting(), other]);
    const { items } = await list();
    expect(items).toMatchObject([
      { replicasDisagree: true, replicas: [{ replica: REPLICA }, { replica: OTHER }] },
    ]);
  });

  it('is listed in pages, with the mode in force', async () => {
    await client.report(['purge', 'create', 'list'].map((name) => sighting({ tool: name })));
    const body = { responseGuard: { drift: 'pinned' } };
    const patched = await registry.call('PATCH', SERVER, { body, headers: { 'if-match': '*' } });
    expect(patched.status, JSON.stringify(patched.body)).toBe(200);
    const first = await list('?limit=2');
    expect(first.items).toMatchObject([
      { tool: 'create', mode: 'pinned' },
      { tool: 'list', mode: 'pinned' },
    ]);
    const query = first.next?.match(/\?[^>]*/)?.[0];
    expect((await list(query)).items).toMatchObject([{ tool: 'purge' }]);
  });

  it('counts for pinned tools of this server and their replicas only', async () => {
    const strangers = [
      { tenantId: 'nobody' },
      { serverId: 'nothing' },
      { version: '9.9.9' },
      { tool: 'smuggled' },
      { replica: '10.1.0.9:8080' },
    ];
    expect(await client.report(strangers.map((change) => sighting(change)))).toEqual({
      ok: true,
      value: true,
    });
    expect((await list()).items).toEqual([]);
    expect(await registry.store.listDriftingServers()).toEqual([]);
  });

  it('is refused where it is no sighting', async () => {
    expect((await client.report([{ ...sighting(), digest: 'none' }])).ok).toBe(false);
    expect((await client.report([sighting({ tool: 'a tool' })])).ok).toBe(false);
  });

  it('of a clock that is ahead does not outlast what comes after', async () => {
    await client.report([sighting({ at: new Date(Date.now() + 3_600_000).toISOString() })]);
    await client.report([clear({ at: new Date(Date.now() + 1_000).toISOString() })]);
    expect((await list()).items).toEqual([]);
  });
});

describe('what can get no call any more', () => {
  it('is over when its server is removed', async () => {
    await client.report([sighting()]);
    const { etag } = await registry.call('GET', SERVER);
    const removed = await registry.call('DELETE', SERVER, { headers: { 'if-match': etag } });
    expect(removed.status).toBe(204);
    await recorder.sweep();
    expect(await registry.store.listDriftingServers()).toEqual([]);
    expect(await actions()).toContain('drift ends servers/tracker/versions/1.0.0/tools/list');
  });

  it('stays while sessions may go on with it, and says that nobody else gets it', async () => {
    await client.report([sighting()]);
    await publish('1.1.0', ['create', 'list', 'purge']);
    await activate('1.1.0');
    await recorder.sweep();
    expect((await list()).items).toMatchObject([{ version: '1.0.0', served: false }]);
  });
});

it('is told apart from a server that is not there', async () => {
  const answer = await registry.call('GET', '/v1/tenants/acme/servers/nothing/drift');
  expect(answer.status).toBe(404);
});

it('is counted, and looked after by the registry itself once something was changed', async () => {
  const stops: (() => unknown)[] = [];
  const metrics = createMetrics('registry');
  const record = startDrift(
    { store: registry.store, logger: SILENT, metrics },
    {
      onStop: (_what, stop) => void stops.push(stop),
      onDrain: () => undefined,
      onEnd: () => undefined,
      isDraining: () => false,
    },
  );
  const told = async (): Promise<string> => (await metrics.render()).body;
  try {
    expect(await record([sighting(), sighting({ tool: 'purge' })])).toBe(2);
    await expect.poll(told).toMatch(/^mcpgw_drifting_tools\{[^}]*tenant="acme",server="tracker"[^}]*\} 2$/m);
    expect(await told()).toMatch(/^mcpgw_tool_drift_total\{[^}]*what="begun"[^}]*\} 2$/m);
    const { etag } = await registry.call('GET', SERVER);
    await registry.call('DELETE', SERVER, { headers: { 'if-match': etag } });
    await expect
      .poll(told, { timeout: 5_000 })
      .toMatch(/^mcpgw_tool_drift_total\{[^}]*what="ended"[^}]*\} 2$/m);
    await expect.poll(told, { timeout: 5_000 }).not.toMatch(/^mcpgw_drifting_tools\{/m);
  } finally {
    for (const stop of stops) await stop();
  }
});
