// Two registries on one database: whoever is asked knows the consumers of both, waits for them, and learns of the death
// of the other.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import type { FeedConsumer } from '#registry/feed/feed-consumer.ts';
import { createFeedServer, type FeedServer } from '#registry/feed/server.ts';
import { type SharedConsumers, startSharedConsumers } from '#registry/shared-consumers.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import type { Address } from '#runtime/address.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { until } from '#test/support/xds-gateway.ts';

const SETTINGS = { displayName: 'Acme', accessContact: 'admin@acme.example', allowedOrigins: [] };
const logger = createLogger('test', 'silent');

type Replica = {
  readonly registry: TestRegistry;
  readonly feed: FeedServer;
  readonly shared: SharedConsumers;
  readonly address: Address;
};

let directory: string;
let one: Replica;
let two: Replica;
let xds: FeedConsumer;
/** Added to the clock of the second registry, milliseconds. */
let later = 0;
/** What the xds-server of the test reports of a sequence. */
let reports = true;
const stops: (() => unknown)[] = [];

const startReplica = async (replica: string, nowMs: () => number): Promise<Replica> => {
  const registry = await startTestRegistry({
    store: openSqliteStore(join(directory, 'registry.db'), TEST_AUDIT),
  });
  const address: Address = { kind: 'unix', path: join(directory, `${replica}.sock`) };
  const { store } = registry;
  const feed = createFeedServer({
    source: store,
    logger,
    metrics: createMetrics('registry'),
    heartbeatMs: 100,
  });
  const stop = await startGrpcServer(address, [feed.service]);
  const shared = startSharedConsumers({ store, feed, logger, replica, nowMs });
  registry.listConsumers = shared.list;
  stops.push(registry.stop, stop, feed.stop, shared.stop);
  return { registry, feed, shared, address };
};

const startXds = (address: Address): Promise<FeedConsumer> => {
  const report = (sequence: number): void => {
    const nodes = [{ nodeId: 'edge-1', acknowledgedSequence: sequence, rejected: [] }];
    if (reports) xds?.report({ sequence, nodes });
  };
  return startFeedConsumer({
    address,
    consumer: 'xds-server',
    stateFile: join(directory, 'xds.json'),
    logger,
    metrics: createMetrics('xds-server'),
    onSnapshot: ({ sequence }) => setImmediate(() => report(sequence)),
  });
};

const rename = async ({ registry }: Replica, displayName: string, query: string) => {
  const path = '/v1/tenants/acme';
  const { etag } = await registry.call('GET', path);
  return registry.call('PATCH', `${path}?${query}`, { body: { displayName }, headers: { 'if-match': etag } });
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'replicas-'));
  one = await startReplica('one', Date.now);
  two = await startReplica('two', () => Date.now() + later);
  await one.registry.call('PUT', '/v1/tenants/acme', { body: SETTINGS });
  xds = await startXds(one.address);
  stops.push(xds.stop);
  await until(
    'the consumer is known',
    () => one.feed.consumers().some(({ status }) => status !== null),
    30_000,
  );
});

afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
  await rm(directory, { recursive: true, force: true });
});

describe('a registry beside another one', () => {
  it('knows consumers that are connected to the other', async () => {
    expect(two.feed.consumers()).toEqual([]);
    await until('it is told', async () => (await two.shared.list()).length > 0, 30_000);
    expect(await two.shared.list()).toMatchObject([{ consumer: 'xds-server', connected: true }]);
    const { body } = await two.registry.call('GET', '/v1/consumers');
    expect(body.items).toMatchObject([{ consumer: 'xds-server', connected: true }]);
  });

  it('waits for them, and tells their Envoys in the rollout', async () => {
    const answer = await rename(two, 'From the other side', 'wait=applied&waitSeconds=30');
    expect([answer.status, answer.headers.get('rollout-state')]).toEqual([200, 'applied']);
    const { body } = await two.registry.call('GET', `/v1/tenants/acme/rollout/${answer.body.revision}`);
    expect(body).toMatchObject({
      state: 'applied',
      consumers: [{ consumer: 'xds-server', nodes: [{ nodeId: 'edge-1', state: 'applied' }] }],
    });
  });

  it('is not told "applied" by the silence of one at the other', async () => {
    reports = false;
    const answer = await rename(two, 'Unheard', 'wait=applied&waitSeconds=1');
    expect([answer.status, answer.headers.get('rollout-state')]).toEqual([202, 'pending']);
    reports = true;
  });

  it('takes the consumers of a registry that died for gone', async () => {
    later = 60_000;
    expect(await two.shared.list()).toMatchObject([{ consumer: 'xds-server', connected: false }]);
    later = 0;
    expect(await two.shared.list()).toMatchObject([{ consumer: 'xds-server', connected: true }]);
  });

  it('hears from one that stops that nobody is connected to it any more', async () => {
    await one.shared.stop();
    expect(await two.shared.list()).toMatchObject([{ consumer: 'xds-server', connected: false }]);
  });
});
