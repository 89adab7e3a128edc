import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NO_FIGURES, type VersionFigures } from '#core/call-figures.ts';
import type { FeedEvent } from '#core/feed-message.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import { openFeedConnection } from '#registry/feed/connection.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import type { FeedConsumer, FeedConsumerOptions } from '#registry/feed/feed-consumer.ts';
import type { FeedSource } from '#registry/feed/feed-source.ts';
import { createFeedServer, type FeedServer } from '#registry/feed/server.ts';
import { type FromRegistry, SUBSCRIBE_METHOD } from '#registry/feed/wire-message.ts';
import { type Address, grpcTarget } from '#runtime/address.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createMemoryFeedSource } from '#test/support/memory-feed-source.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

let directory: string;
let address: Address;
let cleanups: (() => Promise<void> | void)[];
let logLines: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'feed-'));
  address = { kind: 'unix', path: join(directory, 'feed.sock') };
  cleanups = [];
  logLines = [];
});

afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  await rm(directory, { recursive: true, force: true });
});

const logger = () => createLogger('test', 'debug', { write: (line) => logLines.push(line) });

type Registry = { readonly server: FeedServer; readonly stop: () => Promise<void> };

const startRegistry = async (source: FeedSource, heartbeatMs = 5_000): Promise<Registry> => {
  const metrics = createMetrics('registry');
  const server = createFeedServer({ source, logger: logger(), metrics, heartbeatMs });
  const close = await startGrpcServer(address, [server.service]);
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await close({ endStreams: server.stop });
  };
  cleanups.push(stop);
  return { server, stop };
};

type Observed = {
  readonly consumer: FeedConsumer;
  readonly snapshots: Snapshot[];
  readonly events: FeedEvent[];
  readonly stateFile: string;
};

const startConsumer = async (options: Partial<FeedConsumerOptions> = {}): Promise<Observed> => {
  const snapshots: Snapshot[] = [];
  const events: FeedEvent[] = [];
  const stateFile = options.stateFile ?? join(directory, 'state', 'snapshot.json');
  const consumer = await startFeedConsumer({
    address,
    consumer: 'ext-authz',
    stateFile,
    logger: logger(),
    metrics: createMetrics('test'),
    onSnapshot: (snapshot) => snapshots.push(snapshot),
    onEvent: (event) => events.push(event),
    ...options,
  });
  cleanups.push(() => consumer.stop());
  return { consumer, snapshots, events, stateFile };
};

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5_000, interval: 5 });
const tenantIds = (consumer: FeedConsumer): string[] =>
  consumer.current().snapshot.tenants.map((tenant) => tenant.id);

const terminate = (id: string): FeedEvent => ({
  kind: 'terminate-streams',
  id,
  tenantId: 'acme',
  reason: 'leaked key',
  actor: 'ada',
  at: new Date().toISOString(),
});

describe('the feed', () => {
  it('brings everything, then every change by itself', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    source.put(sampleTenant('beta'));
    await startRegistry(source);
    const { consumer, snapshots } = await startConsumer();
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme', 'beta']));
    expect(consumer.current()).toMatchObject({ connected: true, source: 'feed' });
    await eventually(() => expect(snapshots).toHaveLength(1));

    for (let revision = 2; revision < 12; revision += 1) {
      source.put(sampleTenant('acme', revision));
      await vi.waitFor(() => expect(snapshots.at(-1)?.tenants[0]?.revision).toBe(revision), { interval: 1 });
    }

    source.remove('beta');
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme']));
    expect(consumer.current().snapshot.sequence).toBe(13);
  });

  it('reads the store once for all consumers that stand at the same place', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    await startRegistry(source, 60_000);
    const all: Observed[] = [];
    for (const consumer of ['ext-authz', 'ext-proc', 'xds-server'])
      all.push(await startConsumer({ consumer, stateFile: join(directory, `${consumer}.json`) }));
    await eventually(() => {
      for (const { consumer } of all) expect(tenantIds(consumer)).toEqual(['acme']);
    });
    const read = vi.spyOn(source, 'readAfter');
    source.put(sampleTenant('acme', 2));
    await eventually(() => {
      for (const { consumer } of all) expect(consumer.current().snapshot.tenants[0]?.revision).toBe(2);
    });
    // A consumer that is still being told of the first commit reads for itself.
    expect(read.mock.calls.length).toBeLessThan(all.length);
  });

  it('resumes where it was: only what changed is sent again', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    source.put(sampleTenant('beta'));
    const first = await startRegistry(source);
    const { consumer } = await startConsumer();
    await eventually(() => expect(consumer.current().source).toBe('feed'));
    const before = consumer.current().snapshot;

    await first.stop();
    await eventually(() => expect(consumer.current().connected).toBe(false));
    expect(consumer.current().snapshot).toBe(before);
    source.put(sampleTenant('beta', 2));
    const read = vi.spyOn(source, 'readAfter');
    await startRegistry(source);
    await eventually(() => expect(consumer.current().snapshot.tenants[1]?.revision).toBe(2));
    expect(read.mock.calls[0]?.[0]).toBe(2);
    expect(consumer.current().snapshot.tenants[0]).toBe(before.tenants[0]);
  });

  it('drops a tenant that was removed while it was away', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    source.put(sampleTenant('beta'));
    const first = await startRegistry(source);
    const { consumer } = await startConsumer();
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme', 'beta']));
    await first.stop();
    source.remove('acme');
    await startRegistry(source);
    await eventually(() => expect(tenantIds(consumer)).toEqual(['beta']));
  });

  it('starts anew when another database is behind the registry, and shows no half of it', async () => {
    const old = createMemoryFeedSource();
    for (const id of ['acme', 'beta', 'gone']) old.put(sampleTenant(id));
    const first = await startRegistry(old);
    const { consumer, snapshots } = await startConsumer();
    await eventually(() => expect(consumer.current().snapshot.tenants).toHaveLength(3));
    await first.stop();

    const replaced = createMemoryFeedSource();
    for (let n = 0; n < 100; n += 1) replaced.put(sampleTenant(`tenant-${n}`));
    await startRegistry(replaced);
    await eventually(() => expect(consumer.current().snapshot.tenants).toHaveLength(100));
    expect(new Set(snapshots.map((snapshot) => snapshot.tenants.length))).toEqual(new Set([3, 100]));
    expect(tenantIds(consumer)).not.toContain('gone');
  });

  it('starts anew when the registry came back with an older state of the same database', async () => {
    const source = createMemoryFeedSource('same');
    for (const id of ['acme', 'beta']) source.put(sampleTenant(id));
    const first = await startRegistry(source);
    const { consumer } = await startConsumer();
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme', 'beta']));
    await first.stop();
    const restored = createMemoryFeedSource('same');
    restored.put(sampleTenant('acme'));
    await startRegistry(restored);
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme']));
  });

  it('delivers events once, also those announced while it was away', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    const first = await startRegistry(source);
    const { consumer, events } = await startConsumer();
    await eventually(() => expect(consumer.current().connected).toBe(true));
    source.announce(terminate('one'));
    await eventually(() => expect(events.map((event) => event.id)).toEqual(['one']));
    await first.stop();
    source.announce(terminate('two'));
    await startRegistry(source);
    await eventually(() => expect(events.map((event) => event.id)).toEqual(['one', 'two']));
  });

  it('tells changes that arrive together once', async () => {
    const source = createMemoryFeedSource();
    await startRegistry(source);
    const { consumer, snapshots } = await startConsumer();
    await eventually(() => expect(snapshots).toHaveLength(1));
    for (let n = 0; n < 50; n += 1) source.put(sampleTenant('acme', n + 1));
    await eventually(() => expect(consumer.current().snapshot.tenants[0]?.revision).toBe(50));
    expect(snapshots.length).toBeLessThan(10);
  });

  it('gives a consumer that does not read the newest state, not a queue of old ones', async () => {
    const source = createMemoryFeedSource();
    await startRegistry(source);
    const read = vi.spyOn(source, 'readAfter');
    const client = new Client(grpcTarget(address), credentials.createInsecure());
    cleanups.push(() => client.close());
    const { path, requestSerialize, responseDeserialize } = SUBSCRIBE_METHOD;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    cleanups.push(() => call.cancel());
    call.on('error', () => undefined);
    const revisions: number[] = [];
    call.on('data', (message: FromRegistry) => {
      if (message.message !== 'change') return;
      const change = JSON.parse(message.change.toString()) as { tenant?: Tenant; revision: number };
      revisions.push(change.tenant?.revision ?? change.revision);
    });
    call.write({ message: 'subscribe', subscribe: { consumer: 'slow', epoch: '', sequence: '0' } });
    const tenant = { ...sampleTenant('acme'), displayName: 'x'.repeat(100_000) };
    source.put(tenant);
    await eventually(() => expect(revisions).toEqual([1]));

    call.pause();
    for (let revision = 2; revision <= 1_000; revision += 1) {
      source.put({ ...tenant, revision, displayName: `${revision}${tenant.displayName}` });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(read.mock.calls.length).toBeLessThan(100);
    call.resume();
    await eventually(() => expect(revisions.at(-1)).toBe(1_000));
    expect(revisions.length).toBeLessThan(100);
  });

  it('keeps the last good state of a tenant it cannot understand, and goes on with the others', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    source.put(sampleTenant('beta'));
    const first = await startRegistry(source);
    const { consumer, stateFile } = await startConsumer();
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme', 'beta']));
    const { freshAtMs } = consumer.current();

    source.put({ ...sampleTenant('acme', 2), quarantined: true } as never);
    source.put(sampleTenant('beta', 2));
    await eventually(() => expect(consumer.current().snapshot.tenants[1]?.revision).toBe(2));
    expect(consumer.current().snapshot.tenants[0]?.revision).toBe(1);
    expect(consumer.current().freshAtMs).toBe(freshAtMs);
    expect(logLines.join('')).toContain('tenant change not understood');

    // What is saved asks for the tenant again, so a newer program that understands it gets it.
    await eventually(() => expect(readFileSync(stateFile, 'utf8')).toContain('"position":2'));
    await first.stop();
    source.put(sampleTenant('acme', 3));
    await startRegistry(source);
    await eventually(() => expect(consumer.current().snapshot.tenants[0]?.revision).toBe(3));
    await eventually(() => expect(consumer.current().freshAtMs).toBeGreaterThan(freshAtMs));
  });

  it('sends of a change the resources that changed, and leaves everything else the same objects', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    source.put(sampleTenant('beta'));
    await startRegistry(source);
    const { consumer } = await startConsumer();
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme', 'beta']));
    const [acme, beta] = consumer.current().snapshot.tenants;
    source.put({ ...sampleTenant('acme', 2), grants: [] });
    await eventually(() => expect(consumer.current().snapshot.tenants[0]?.revision).toBe(2));
    const [changed, other] = consumer.current().snapshot.tenants;
    expect(changed).toEqual({ ...sampleTenant('acme', 2), grants: [] });
    expect(changed?.servers).toBe(acme?.servers);
    expect(other).toBe(beta);
  });

  it('heals a tenant with the change that mends it, without losing what was changed meanwhile', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    await startRegistry(source);
    const { consumer } = await startConsumer();
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme']));
    source.put({ ...sampleTenant('acme', 2), quarantined: true } as never);
    await eventually(() => expect(logLines.join('')).toContain('tenant change not understood'));
    source.put({ ...sampleTenant('acme', 3), quarantined: true, grants: [] } as never);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(consumer.current().snapshot.tenants[0]).toEqual(sampleTenant('acme'));
    source.put({ ...sampleTenant('acme', 4), grants: [], displayName: 'mended' });
    await eventually(() =>
      expect(consumer.current().snapshot.tenants[0]).toEqual({
        ...sampleTenant('acme', 4),
        grants: [],
        displayName: 'mended',
      }),
    );
    expect(consumer.current().connected).toBe(true);
  });

  it('asks again for a tenant it never had whole, as soon as something of it changes', async () => {
    const source = createMemoryFeedSource();
    source.put({ ...sampleTenant('acme'), quarantined: true } as never);
    await startRegistry(source);
    const { consumer } = await startConsumer();
    await eventually(() => expect(logLines.join('')).toContain('tenant change not understood'));
    source.put(sampleTenant('acme', 2));
    await eventually(() => expect(consumer.current().snapshot.tenants).toEqual([sampleTenant('acme', 2)]));
  });

  it('delivers an event once, also while a tenant that cannot be understood holds the position back', async () => {
    const source = createMemoryFeedSource();
    source.put({ ...sampleTenant('acme'), servers: 'none' } as unknown as Tenant);
    const first = await startRegistry(source);
    const { consumer, events } = await startConsumer();
    source.announce(terminate('e1'));
    await eventually(() => expect(events.map(({ id }) => id)).toEqual(['e1']));
    await first.stop();
    await eventually(() => expect(consumer.current().connected).toBe(false));
    await startRegistry(source);
    source.announce(terminate('e2'));
    await eventually(() => expect(events.at(-1)?.id).toBe('e2'));
    expect(events.map(({ id }) => id)).toEqual(['e1', 'e2']);
  });

  it('survives a listener that throws', async () => {
    const source = createMemoryFeedSource();
    await startRegistry(source);
    const { consumer } = await startConsumer({
      onSnapshot: () => {
        throw new Error('listener broke');
      },
    });
    source.put(sampleTenant('acme'));
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme']));
    expect(logLines.join('')).toContain('listener broke');
  });

  it('shows the registry what each consumer reported, also after a reconnect', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    const first = await startRegistry(source);
    const { consumer } = await startConsumer({ consumer: 'xds-server/1' });
    consumer.report({ sequence: 1, nodes: [{ nodeId: 'edge-1', acknowledgedSequence: 1, rejected: [] }] });
    await eventually(() =>
      expect(first.server.consumers()).toMatchObject([
        { consumer: 'xds-server/1', connected: true, sentSequence: 1, status: { sequence: 1 } },
      ]),
    );
    await first.stop();
    const second = await startRegistry(source);
    await eventually(() => expect(second.server.consumers()[0]?.status?.nodes).toHaveLength(1));
    await consumer.stop();
    await eventually(() => expect(second.server.consumers()[0]?.connected).toBe(false));
  });

  it('hands the figures of each report on once, and shows and repeats them to nobody', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    const first = await startRegistry(source);
    const heard: (readonly VersionFigures[])[] = [];
    first.server.onFigures((versions) => heard.push(versions));
    const { consumer } = await startConsumer({ consumer: 'xds-server/1' });
    await eventually(() => expect(consumer.current().connected).toBe(true));
    const version = { tenantId: 'acme', serverId: 'tracker', version: '1.0.0' };
    const answers = { judged: 2, invalid: 1 };
    const versions = [{ ...version, figures: { ...NO_FIGURES, calls: 3, errors: 1, answers } }];
    expect(consumer.report({ sequence: 1, figures: { versions } })).toBe(true);
    expect(consumer.report({ sequence: 1, figures: { versions } })).toBe(true);
    await eventually(() => expect(heard).toEqual([versions, versions]));
    expect(first.server.consumers()[0]?.status).toEqual({ sequence: 1 });
    await first.stop();
    await eventually(() => expect(consumer.current().connected).toBe(false));
    expect(consumer.report({ sequence: 1, figures: { versions } })).toBe(false);
    const second = await startRegistry(source);
    const repeated: unknown[] = [];
    second.server.onFigures((again) => repeated.push(again));
    await eventually(() => expect(second.server.consumers()[0]?.status).toEqual({ sequence: 1 }));
    expect(repeated).toEqual([]);
  });

  it('keeps what is said of paces until it is said anew, and tells the next registry', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    const first = await startRegistry(source);
    const { consumer } = await startConsumer({ consumer: 'xds-server/1' });
    await eventually(() => expect(consumer.current().connected).toBe(true));
    const lastMove = { at: '2026-01-31T00:00:00.000Z', attempts: 40, errorRate: 0.25 };
    const version = { tenantId: 'acme', serverId: 'tracker', version: '1.0.0' };
    const paces = [{ ...version, pace: { timeoutMs: 900, retries: 1 }, lastMove }];
    consumer.report({ sequence: 1, paces });
    consumer.report({ sequence: 2 });
    const said = { sequence: 2, paces };
    await eventually(() => expect(first.server.consumers()[0]?.status).toEqual(said));
    await first.stop();
    const second = await startRegistry(source);
    await eventually(() => expect(second.server.consumers()[0]?.status).toEqual(said));
    consumer.report({ sequence: 2, paces: [] });
    await eventually(() => expect(second.server.consumers()[0]?.status?.paces).toEqual([]));
  });

  it('refuses a consumer without a proper name', async () => {
    const registry = await startRegistry(createMemoryFeedSource());
    const { consumer } = await startConsumer({ consumer: 'a"b{}' });
    await eventually(() => expect(logLines.join('')).toContain('expected one subscribe message'));
    expect(consumer.current()).toMatchObject({ connected: false, source: 'none' });
    expect(registry.server.consumers()).toEqual([]);
  });

  it('ends the stream of a store that cannot be read, and recovers with it', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    const read = vi.spyOn(source, 'readAfter').mockRejectedValueOnce(new Error('disk I/O error'));
    await startRegistry(source);
    const { consumer } = await startConsumer();
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme']));
    expect(read.mock.calls.length).toBeGreaterThan(1);
    expect(logLines.join('')).toContain('feed stream failed');
  });
});

describe('the copy on disk', () => {
  const savedCopy = async (): Promise<string> => {
    const source = createMemoryFeedSource('epoch-1');
    source.put(sampleTenant('acme'));
    const registry = await startRegistry(source);
    const { consumer, stateFile } = await startConsumer();
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme']));
    await consumer.stop();
    await registry.stop();
    return stateFile;
  };

  it('is served while the registry is away, with the age it really has', async () => {
    const stateFile = await savedCopy();
    const anHourAgo = Math.floor(Date.now() / 1_000) - 3_600;
    await utimes(stateFile, anHourAgo, anHourAgo);
    const { consumer, snapshots } = await startConsumer({ stateFile });
    expect(consumer.current()).toMatchObject({
      connected: false,
      source: 'disk',
      freshAtMs: anHourAgo * 1_000,
    });
    expect(snapshots.map((snapshot) => snapshot.tenants.length)).toEqual([1]);
  });

  it('lets the next process resume from it', async () => {
    const stateFile = await savedCopy();
    const source = createMemoryFeedSource('epoch-1');
    source.put(sampleTenant('acme'));
    source.put(sampleTenant('beta'));
    const read = vi.spyOn(source, 'readAfter');
    await startRegistry(source);
    const { consumer } = await startConsumer({ stateFile });
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme', 'beta']));
    expect(read.mock.calls[0]?.[0]).toBe(1);
  });

  it('is readable by its owner only', async () => {
    const stateFile = await savedCopy();
    expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['cut short', (text: string) => text.slice(0, -40)],
    [
      'changed in one byte',
      (text: string) => text.replace('issue tracker', 'issue trackeR').replace('"*"', '"x"'),
    ],
    ['of another format', (text: string) => text.replace('"format":3', '"format":9')],
    ['said to reach further than it does', (text: string) => text.replace('"position":1', '"position":2')],
    ['said to be of another database', (text: string) => text.replace('"epoch":"', '"epoch":"x')],
    ['empty', () => ''],
    ['no JSON', () => 'not json\nnot json\n'],
  ])('is ignored with a warning when it is %s', async (_name, damage) => {
    const stateFile = await savedCopy();
    await writeFile(stateFile, damage(await readFile(stateFile, 'utf8')));
    logLines.length = 0;
    const { consumer, snapshots } = await startConsumer({ stateFile });
    expect(consumer.current()).toMatchObject({ source: 'none', freshAtMs: 0 });
    expect(snapshots).toEqual([]);
    expect(logLines.join('')).toContain('snapshot copy on disk ignored');
  });

  it('does not stop the service when it cannot be written', async () => {
    const source = createMemoryFeedSource();
    source.put(sampleTenant('acme'));
    await startRegistry(source);
    await writeFile(join(directory, 'a-file'), '');
    await chmod(join(directory, 'a-file'), 0o400);
    const { consumer } = await startConsumer({ stateFile: join(directory, 'a-file', 'snapshot.json') });
    await eventually(() => expect(tenantIds(consumer)).toEqual(['acme']));
    await eventually(() => expect(logLines.join('')).toContain('snapshot copy not written'));
  });
});

describe('freshness', () => {
  it('moves with every heartbeat, and stands still when the registry is gone', async () => {
    const registry = await startRegistry(createMemoryFeedSource(), 20);
    const { consumer, snapshots } = await startConsumer();
    await eventually(() => expect(consumer.current().source).toBe('feed'));
    const { freshAtMs } = consumer.current();
    await eventually(() => expect(consumer.current().freshAtMs).toBeGreaterThan(freshAtMs + 40));
    expect(snapshots).toHaveLength(1);
    await registry.stop();
    const last = consumer.current().freshAtMs;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(consumer.current()).toMatchObject({ freshAtMs: last, connected: false });
  });

  it('is kept beside the copy on disk', async () => {
    await startRegistry(createMemoryFeedSource(), 20);
    const { consumer, stateFile } = await startConsumer();
    await eventually(() => expect(consumer.current().source).toBe('feed'));
    const { freshAtMs } = consumer.current();
    await eventually(() => expect(statSync(stateFile).mtimeMs).toBeGreaterThan(freshAtMs + 100));
  });
});

describe('a registry that is silent', () => {
  it('does not count as connected or fresh', async () => {
    const sockets: Socket[] = [];
    const listener = createServer((socket) => sockets.push(socket));
    listener.listen(address.kind === 'unix' ? address.path : '');
    await once(listener, 'listening');
    const { consumer } = await startConsumer();
    await eventually(() => expect(sockets).toHaveLength(1));
    expect(consumer.current()).toMatchObject({ connected: false, source: 'none', freshAtMs: 0 });
    await consumer.stop();
    for (const socket of sockets) socket.destroy();
    listener.close();
  });

  it('is given up after three heartbeats that did not come', async () => {
    await startRegistry(createMemoryFeedSource(), 60_000);
    const received: string[] = [];
    const subscription = { consumer: 'ext-proc', epoch: '', position: 0, silenceLimitMs: 100 };
    const connection = openFeedConnection(address, subscription, ({ message }) => received.push(message));
    expect(await connection.ended).toBe('the registry is silent');
    expect(received).toEqual(['hello', 'caught_up']);
  });
});

describe('a consumer that leaves at once', () => {
  it('is not kept on the list', async () => {
    const source = createMemoryFeedSource();
    let release = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      vi.spyOn(source, 'lastSequence').mockImplementationOnce(async () => {
        resolve();
        await new Promise<void>((done) => {
          release = done;
        });
        return 0;
      });
    });
    const registry = await startRegistry(source);
    const subscription = { consumer: 'ext-proc', epoch: source.epoch, position: 0 };
    const connection = openFeedConnection(address, subscription, () => undefined);
    await asked;
    connection.close();
    await connection.ended;
    await new Promise((resolve) => setTimeout(resolve, 20));
    release();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(registry.server.consumers()).toEqual([]);
  });
});
