// Which tools drift, on its way to a service: there before it has caught up, kept in the copy on disk, and dropped only by
// the word of the registry.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDrift, type ServerDrift } from '#core/drift-book.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import type { FeedConsumer } from '#registry/feed/feed-consumer.ts';
import { createFeedServer } from '#registry/feed/server.ts';
import type { Address } from '#runtime/address.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createMemoryFeedSource, type MemoryFeedSource } from '#test/support/memory-feed-source.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const SILENT = createLogger('test', 'silent');

const driftOf = (serverId: string, ...tools: string[]): ServerDrift => ({
  tenantId: 'acme',
  serverId,
  tools: tools.map((tool) => ({ version: '1.0.0', tool, since: '2026-01-01T12:00:00.000Z' })),
});

let directory: string;
let address: Address;
let source: MemoryFeedSource;
let cleanups: (() => Promise<void>)[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drift-'));
  address = { kind: 'unix', path: join(directory, 'feed.sock') };
  cleanups = [];
  source = createMemoryFeedSource('one');
  source.put(sampleTenant('acme'));
});

afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  await rm(directory, { recursive: true, force: true });
});

/** Once only, whether a test does it or the end of the test. */
const once = (work: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | undefined;
  const run = (): Promise<void> => {
    done ??= work();
    return done;
  };
  cleanups.push(run);
  return run;
};

const startRegistry = async (of: MemoryFeedSource = source): Promise<() => Promise<void>> => {
  const server = createFeedServer({ source: of, logger: SILENT, metrics: createMetrics('registry') });
  const close = await startGrpcServer(address, [server.service]);
  return once(async () => {
    await close({ endStreams: server.stop });
  });
};

type Started = { readonly consumer: FeedConsumer; readonly stop: () => Promise<void> };

const start = async (takesDrift = true): Promise<Started> => {
  const consumer = await startFeedConsumer({
    address,
    consumer: 'ext-authz',
    stateFile: join(directory, 'copy.json'),
    logger: SILENT,
    metrics: createMetrics('test'),
    onSnapshot: () => undefined,
    takesDrift,
  });
  return { consumer, stop: once(() => consumer.stop()) };
};

const drifts = ({ consumer }: Started, serverId: string, tool: string): boolean =>
  findDrift(consumer.current().drift, { tenantId: 'acme', serverId, version: '1.0.0', tool }) !== undefined;

const caughtUp = ({ consumer }: Started): Promise<void> =>
  expect.poll(() => consumer.current().source, { timeout: 10_000 }).toBe('feed');

describe('drift on the feed', () => {
  it('is there when the consumer has caught up, and comes and goes at once after that', async () => {
    source.drift(driftOf('tracker', 'a'));
    await startRegistry();
    const started = await start();
    await caughtUp(started);
    expect([drifts(started, 'tracker', 'a'), drifts(started, 'tracker', 'b')]).toEqual([true, false]);
    source.drift(driftOf('tracker', 'b'));
    await expect.poll(() => drifts(started, 'tracker', 'b')).toBe(true);
    expect(drifts(started, 'tracker', 'a')).toBe(false);
    source.drift(driftOf('tracker'));
    await expect.poll(() => drifts(started, 'tracker', 'b')).toBe(false);
  });

  it('is in the copy of the next process, with what ended meanwhile gone', async () => {
    source.drift(driftOf('tracker', 'a', 'b'));
    source.drift(driftOf('reports', 'c'));
    const stop = await startRegistry();
    const first = await start();
    await caughtUp(first);
    source.drift(driftOf('tracker', 'b'));
    source.drift(driftOf('reports'));
    await expect.poll(() => drifts(first, 'reports', 'c')).toBe(false);
    await first.stop();
    await stop();
    const second = await start();
    expect(second.consumer.current().source).toBe('disk');
    const told = [
      drifts(second, 'tracker', 'a'),
      drifts(second, 'tracker', 'b'),
      drifts(second, 'reports', 'c'),
    ];
    expect(told).toEqual([false, true, false]);
  });

  it('is asked for by a process whose copy was kept without any', async () => {
    source.drift(driftOf('tracker', 'a'));
    const stop = await startRegistry();
    const older = await start(false);
    await caughtUp(older);
    expect(drifts(older, 'tracker', 'a')).toBe(false);
    await older.stop();
    await stop();
    const started = await start();
    expect(started.consumer.current().source).toBe('disk');
    await startRegistry();
    await expect.poll(() => drifts(started, 'tracker', 'a')).toBe(true);
  });

  it('is what the database behind the registry says, once that has said all of it', async () => {
    source.drift(driftOf('tracker', 'a'));
    source.drift(driftOf('reports', 'c'));
    const stop = await startRegistry();
    const started = await start();
    await caughtUp(started);
    await stop();
    const restored = createMemoryFeedSource('two');
    restored.put(sampleTenant('beta'));
    restored.drift(driftOf('tracker', 'b'));
    expect(drifts(started, 'reports', 'c')).toBe(true);
    await startRegistry(restored);
    await expect.poll(() => drifts(started, 'reports', 'c'), { timeout: 10_000 }).toBe(false);
    expect([drifts(started, 'tracker', 'a'), drifts(started, 'tracker', 'b')]).toEqual([false, true]);
  });

  it('that cannot be read leaves the copy behind, and is asked for again', async () => {
    const stop = await startRegistry();
    const started = await start();
    await caughtUp(started);
    const { freshAtMs } = started.consumer.current();
    source.drift({ ...driftOf('tracker', 'a'), tools: 'all' as never });
    source.put(sampleTenant('beta'));
    await expect.poll(() => started.consumer.current().snapshot.tenants.length).toBe(2);
    expect(started.consumer.current().freshAtMs).toBe(freshAtMs);
    await stop();
    source.drift(driftOf('tracker', 'a'));
    await startRegistry();
    await expect.poll(() => drifts(started, 'tracker', 'a'), { timeout: 10_000 }).toBe(true);
    expect(started.consumer.current().freshAtMs).toBeGreaterThan(freshAtMs);
  });
});
