// The registry as a process: what a kill -9 leaves behind, how the feed goes on after it, how it starts and stops.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FeedEvent } from '#core/feed-message.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import type { FeedConsumer } from '#registry/feed/feed-consumer.ts';
import type { AuditSecrets } from '#registry/store/audit-append.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { ADMIN_AUDIENCE, ADMIN_ISSUER, ADMIN_KEY, callApi } from '#test/integration/registry-harness.ts';
import { auditSecretsIn, TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { type KeyServer, publishKey, startKeyServer } from '#test/support/token-issuer.ts';

const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning'];

let directory: string;
let keyServer: KeyServer;
let children: ChildProcess[];

beforeAll(async () => {
  keyServer = await startKeyServer([publishKey(ADMIN_KEY)]);
});

afterAll(() => keyServer.stop());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rp-'));
  children = [];
});

afterEach(async () => {
  for (const child of children) await kill(child);
  await rm(directory, { recursive: true, force: true });
});

const start = (script: string, options: { readonly args?: string[]; readonly env?: object } = {}) => {
  const child = spawn(process.execPath, [...NODE_OPTIONS, script, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return { child, output: () => output };
};

const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
};

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Every table tells the same story. */
const expectWhole = async (path: string, audit: AuditSecrets): Promise<void> => {
  const database = new DatabaseSync(path);
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  const row = (query: string) => Number(Object.values(database.prepare(query).get() ?? {})[0]);
  const sequence = row("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'sequence'");
  expect(row('SELECT count(*) FROM audit_records WHERE sequence IS NOT NULL')).toBe(sequence);
  expect(row('SELECT max(number) FROM audit_records')).toBe(row('SELECT count(*) FROM audit_records'));
  expect(row('SELECT count(*) FROM revisions')).toBe(sequence);
  const torn = `SELECT count(*) FROM tenants t WHERE t.sequence <> (SELECT max(sequence) FROM revisions r WHERE r.tenant = t.id)
    OR t.revision <> (SELECT max(number) FROM revisions r WHERE r.tenant = t.id)
    OR t.revision < (SELECT max(revision) FROM resources r WHERE r.tenant = t.id)`;
  expect(row(torn)).toBe(0);
  database.close();
  const store = openSqliteStore(path, audit);
  expect(await store.findAuditFault()).toBeUndefined();
  await store.close();
};

describe('a kill -9 in the middle of writes', () => {
  it('loses nothing that was acknowledged and leaves nothing half applied', async () => {
    const path = join(directory, 'registry.db');
    const acknowledged: string[] = [];
    for (let round = 0; round < 8; round += 1) {
      const writer = start('test/integration/registry-crash-writer.ts', { args: [path, `round-${round}`] });
      await vi.waitFor(() => expect(writer.output().split('\n').length).toBeGreaterThan(3), 20_000);
      await wait(Math.random() * 60);
      await kill(writer.child);
      await expectWhole(path, TEST_AUDIT);
      acknowledged.push(...writer.output().split('\n').slice(0, -1));
      const database = new DatabaseSync(path);
      const find = database.prepare(
        `SELECT body ->> 'displayName' AS name, sequence FROM resources
         WHERE tenant = ? AND revision = ? AND name = 'tenant'`,
      );
      for (const line of acknowledged) {
        const [tenant = '', revision = '', sequence = '', name = ''] = line.split(' ');
        expect(find.get(tenant, Number(revision)), line).toEqual({ name, sequence: Number(sequence) });
      }
      database.close();
    }
    expect(acknowledged.length).toBeGreaterThan(24);
  }, 90_000);
});

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
};

const getOps = async (path: string): Promise<{ status: number; body: string }> => {
  const socketPath = join(directory, 'run', 'registry-ops.sock');
  const call = httpRequest({ socketPath, path }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
};

describe('the process', () => {
  let port = 0;
  let url = '';
  let consumers: FeedConsumer[];

  beforeEach(async () => {
    port = await freePort();
    url = `http://127.0.0.1:${port}`;
    consumers = [];
  });

  afterEach(async () => {
    for (const consumer of consumers) await consumer.stop();
  });

  const environment = (changes: object = {}) => ({
    MCPGW_STATE_DIR: join(directory, 'state'),
    MCPGW_RUNTIME_DIR: join(directory, 'run'),
    REGISTRY_PORT: String(port),
    ADMIN_ISSUER,
    ADMIN_AUDIENCE,
    ADMIN_JWKS_URI: keyServer.url,
    ...changes,
  });

  const startRegistry = async () => {
    const registry = start('registry/main.ts', { env: environment() });
    await vi.waitFor(() => expect(registry.output()).toContain('registry ready'), 20_000);
    return registry;
  };

  const putTenant = async (id: string, displayName: string) => {
    const path = `${url}/v1/tenants/${id}`;
    const { etag } = await callApi(path, 'GET');
    return callApi(path, 'PUT', {
      body: { displayName, accessContact: '' },
      headers: etag === '' ? {} : { 'if-match': etag },
    });
  };

  const follow = async (stateFile: string) => {
    const snapshots: Snapshot[] = [];
    const events: FeedEvent[] = [];
    const consumer = await startFeedConsumer({
      address: { kind: 'unix', path: join(directory, 'run', 'registry-feed.sock') },
      consumer: 'ext-authz',
      stateFile: join(directory, stateFile),
      logger: createLogger('test', 'silent'),
      metrics: createMetrics('test'),
      onSnapshot: (snapshot) => snapshots.push(snapshot),
      onEvent: (event) => events.push(event),
    });
    consumers.push(consumer);
    const names = () => consumer.current().snapshot.tenants.map(({ displayName }) => displayName);
    return { consumer, snapshots, events, names };
  };

  it('feeds what was committed, survives a kill -9, and goes on where it was', async () => {
    const first = await startRegistry();
    const { consumer, names, events } = await follow('snapshot.json');
    expect((await putTenant('acme', 'one')).status).toBe(201);
    await vi.waitFor(() => expect(names()).toEqual(['one']), 5_000);
    consumer.report({ sequence: 1 });
    await vi.waitFor(async () => {
      const { body } = await callApi(`${url}/v1/consumers`, 'GET');
      expect(body.items).toMatchObject([{ consumer: 'ext-authz', connected: true, status: { sequence: 1 } }]);
    }, 5_000);

    const acknowledged: string[] = [];
    const writing = (async () => {
      for (let n = 0; ; n += 1) {
        const answer = await putTenant(`t${n}`, `written-${n}`).catch(() => undefined);
        if (answer?.status !== 201) return;
        acknowledged.push(`written-${n}`);
      }
    })();
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(3), 20_000);
    await kill(first.child);
    await writing;
    await vi.waitFor(() => expect(consumer.current().connected).toBe(false), 5_000);
    expect(names()).toContain('one');
    const state = join(directory, 'state');
    await expectWhole(join(state, 'registry', 'registry.db'), auditSecretsIn(state));

    await startRegistry();
    await vi.waitFor(() => expect(names()).toEqual(expect.arrayContaining(acknowledged)), 5_000);
    const terminated = await callApi(`${url}/v1/tenants/acme/streams/terminate`, 'POST', {
      body: { reason: 'drill' },
    });
    expect(terminated.status).toBe(202);
    await vi.waitFor(() => expect(events).toMatchObject([{ tenantId: 'acme', reason: 'drill' }]), 5_000);
  }, 60_000);

  it('has a change at its consumers well under a second after the answer', async () => {
    await startRegistry();
    const { names } = await follow('snapshot.json');
    await putTenant('acme', 'change-0');
    const latencies: number[] = [];
    for (let n = 1; n <= 15; n += 1) {
      expect((await putTenant('acme', `change-${n}`)).status).toBe(200);
      const answeredAt = performance.now();
      await vi.waitFor(() => expect(names()).toEqual([`change-${n}`]), { interval: 1 });
      latencies.push(performance.now() - answeredAt);
    }
    expect(latencies.toSorted((a, b) => a - b)[7]).toBeLessThan(500);
  }, 30_000);

  it('gives a service that starts while it is away the copy on disk', async () => {
    const registry = await startRegistry();
    await putTenant('acme', 'one');
    const before = await follow('shared.json');
    await vi.waitFor(() => expect(before.names()).toEqual(['one']), 5_000);
    await before.consumer.stop();
    await kill(registry.child);
    const after = await follow('shared.json');
    expect(after.consumer.current()).toMatchObject({ source: 'disk', connected: false });
    expect(after.names()).toEqual(['one']);
  }, 30_000);

  it('says how it is, and stops cleanly on SIGTERM with a consumer connected', async () => {
    const registry = await startRegistry();
    await putTenant('acme', 'one');
    const { consumer } = await follow('snapshot.json');
    await vi.waitFor(() => expect(consumer.current().connected).toBe(true), 5_000);
    expect(JSON.parse((await getOps('/readyz')).body)).toMatchObject({ ready: true, sequence: 1 });
    const metrics = (await getOps('/metrics')).body;
    expect(metrics).toMatch(/mcpgw_registry_writes_total\{[^}]*outcome="committed"[^}]*\} 1/);
    expect(metrics).toMatch(/mcpgw_feed_consumers\{[^}]*\} 1/);
    expect(metrics).toMatch(/mcpgw_registry_sequence\{[^}]*\} 1/);
    const exited = once(registry.child, 'exit');
    const startedAt = Date.now();
    registry.child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(Date.now() - startedAt).toBeLessThan(4_000);
  }, 30_000);

  it('does not start beside another one, and names every fault of its configuration', async () => {
    await startRegistry();
    const second = start('registry/main.ts', { env: environment({ REGISTRY_PORT: '0' }) });
    expect((await once(second.child, 'exit'))[0]).toBe(1);
    expect(second.output()).toContain('another process is listening');
    const bare = start('registry/main.ts', {
      env: { ...environment(), ADMIN_ISSUER: '', ADMIN_JWKS_URI: 'nonsense', REGISTRY_PORT: '99999' },
    });
    expect((await once(bare.child, 'exit'))[0]).toBe(1);
    for (const name of ['ADMIN_ISSUER', 'ADMIN_JWKS_URI', 'REGISTRY_PORT'])
      expect(bare.output()).toContain(name);
  }, 30_000);
});
