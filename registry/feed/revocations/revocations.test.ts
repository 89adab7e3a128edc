// Revocations on their way: told at once and only once, kept in the copy on disk, there before a consumer has caught up, and
// never taken for told where they were not.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CredentialFacts, Revocation } from '#core/revocation.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import type { FeedConsumer, FeedConsumerOptions } from '#registry/feed/feed-consumer.ts';
import { createFeedServer } from '#registry/feed/server.ts';
import { loadSnapshotFile } from '#registry/feed/snapshot-file.ts';
import type { Address } from '#runtime/address.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createMemoryFeedSource, type MemoryFeedSource } from '#test/support/memory-feed-source.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const NOW = Math.floor(Date.now() / 1000);
const SILENT = createLogger('test', 'silent');

const markOn = (subject: string, change: Partial<Revocation> = {}): Revocation => ({
  id: `mark-${subject}`,
  tenantId: 'acme',
  target: { kind: 'subject', issuerId: 'home', subject },
  notBefore: NOW,
  source: 'operator',
  reason: 'laptop stolen',
  at: '2026-01-01T12:00:00.000Z',
  until: NOW + 86_400,
  ...change,
});

const heldBy = (subject: string): CredentialFacts => ({ issuerId: 'home', subject, issuedAt: NOW - 1 });

let directory: string;
let address: Address;
let stateFile: string;
let source: MemoryFeedSource;
let cleanups: (() => Promise<void>)[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'revocations-'));
  address = { kind: 'unix', path: join(directory, 'feed.sock') };
  stateFile = join(directory, 'copy.json');
  cleanups = [];
  source = createMemoryFeedSource('one');
  source.put(sampleTenant('acme'));
});

afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  await rm(directory, { recursive: true, force: true });
});

const startRegistry = async (of: MemoryFeedSource = source): Promise<() => Promise<void>> => {
  const server = createFeedServer({ source: of, logger: SILENT, metrics: createMetrics('registry') });
  const close = await startGrpcServer(address, [server.service]);
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    await close({ endStreams: server.stop });
  };
  cleanups.push(stop);
  return stop;
};

type Started = { readonly consumer: FeedConsumer; readonly told: string[][]; stop(): Promise<void> };

const optionsOf = (): FeedConsumerOptions => ({
  address,
  consumer: 'ext-authz',
  stateFile,
  logger: SILENT,
  metrics: createMetrics('test'),
  onSnapshot: () => undefined,
});

const start = async (): Promise<Started> => {
  const told: string[][] = [];
  const consumer = await startFeedConsumer({
    ...optionsOf(),
    onRevocations: (revocations) => told.push(revocations.map(({ id }) => id)),
  });
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (!isStopped) await consumer.stop();
    isStopped = true;
  };
  cleanups.push(stop);
  return { consumer, told, stop };
};

const knows = ({ consumer }: Started, subject: string): boolean =>
  consumer.current().revocations.find('acme', heldBy(subject)) !== undefined;

const caughtUp = ({ consumer }: Started): Promise<void> =>
  expect.poll(() => consumer.current().source).toBe('feed');

describe('a revocation on the feed', () => {
  it('is there when the consumer has caught up, and comes at once after that', async () => {
    source.revoke(markOn('ada'));
    await startRegistry();
    const started = await start();
    await caughtUp(started);
    expect(knows(started, 'ada')).toBe(true);
    source.revoke(markOn('bob'));
    await expect.poll(() => knows(started, 'bob')).toBe(true);
    await expect.poll(() => started.told.flat()).toEqual(['mark-ada', 'mark-bob']);
    expect(knows(started, 'eve')).toBe(false);
  });

  it('is told once, whatever the connection does', async () => {
    source.revoke(markOn('ada'));
    const stop = await startRegistry();
    const started = await start();
    await expect.poll(() => started.told.flat()).toEqual(['mark-ada']);
    await stop();
    source.revoke(markOn('bob'));
    await startRegistry();
    await expect.poll(() => started.told.flat()).toEqual(['mark-ada', 'mark-bob']);
  });

  it('is in the copy of the next process, which is told what came since and nothing else', async () => {
    source.revoke(markOn('ada'));
    const stop = await startRegistry();
    const first = await start();
    await caughtUp(first);
    await first.stop();
    await stop();
    const second = await start();
    expect(second.consumer.current().source).toBe('disk');
    expect(knows(second, 'ada')).toBe(true);
    source.revoke(markOn('bob'));
    await startRegistry();
    await expect.poll(() => second.told).toEqual([['mark-bob']]);
  });

  it('is appended to the copy: a thousand marks are not written again for one more', async () => {
    for (let count = 0; count < 1_000; count += 1) source.revoke(markOn(`person-${count}`));
    await startRegistry();
    const started = await start();
    await caughtUp(started);
    const size = async () => (await readFile(stateFile).catch(() => Buffer.alloc(0))).length;
    await expect.poll(size).toBeGreaterThan(100_000);
    const before = await size();
    source.revoke(markOn('one-more'));
    await expect.poll(async () => (await readFile(stateFile, 'utf8')).includes('one-more')).toBe(true);
    expect((await size()) - before).toBeLessThan(2_000);
    await started.stop();
    const loaded = await loadSnapshotFile(stateFile, Date.now());
    expect(loaded.ok && loaded.value?.revocations?.length).toBe(1_001);
  });

  it('is asked for by a process whose copy was kept without any', async () => {
    const stop = await startRegistry();
    const older = await startFeedConsumer(optionsOf());
    cleanups.push(() => older.stop());
    source.revoke(markOn('ada'));
    await expect.poll(() => older.current().source).toBe('feed');
    await older.stop();
    await stop();
    const loaded = await loadSnapshotFile(stateFile, Date.now());
    expect(loaded.ok && loaded.value?.position).toBe(2);
    const started = await start();
    await startRegistry();
    await expect.poll(() => knows(started, 'ada')).toBe(true);
  });

  it('outlives another database behind the registry', async () => {
    source.revoke(markOn('ada'));
    const stop = await startRegistry();
    const started = await start();
    await expect.poll(() => knows(started, 'ada')).toBe(true);
    await stop();
    const restored = createMemoryFeedSource('two');
    restored.put(sampleTenant('beta'));
    await startRegistry(restored);
    await expect
      .poll(() => started.consumer.current().snapshot.tenants.map(({ id }) => id), { timeout: 10_000 })
      .toEqual(['beta']);
    expect(knows(started, 'ada')).toBe(true);
  });

  it('that cannot be read leaves the copy behind and its age standing, and is asked for again', async () => {
    const stop = await startRegistry();
    const started = await start();
    await caughtUp(started);
    const { freshAtMs } = started.consumer.current();
    source.revoke({ ...markOn('ada'), source: 'telepathy' as Revocation['source'] });
    source.put(sampleTenant('beta'));
    await expect.poll(() => started.consumer.current().snapshot.tenants.length).toBe(2);
    expect(started.consumer.current().freshAtMs).toBe(freshAtMs);
    await stop();
    source.revoke(markOn('ada'));
    await startRegistry();
    await expect.poll(() => knows(started, 'ada'), { timeout: 10_000 }).toBe(true);
    expect(started.consumer.current().freshAtMs).toBeGreaterThan(freshAtMs);
  });
});

describe('a service that starts', () => {
  it('waits until the registry has said what is revoked, and not for one that is away', async () => {
    const alone = await start();
    await alone.consumer.settled(60_000);
    expect(alone.consumer.current().source).toBe('none');
    await alone.stop();
    source.revoke(markOn('ada'));
    await startRegistry();
    const started = await start();
    await started.consumer.settled(60_000);
    expect([started.consumer.current().source, knows(started, 'ada')]).toEqual(['feed', true]);
  });
});
