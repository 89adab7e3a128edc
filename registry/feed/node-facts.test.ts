// A newer xds-server at an older registry, and the reverse: whoever is upgraded first, statuses go on being read.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConsumerStatus } from '#core/feed-message.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import { createFeedServer } from '#registry/feed/server.ts';
import type { FeedCall } from '#registry/feed/subscriber.ts';
import { FEED_SERVICE, type FromConsumer } from '#registry/feed/wire-message.ts';
import type { Address } from '#runtime/address.ts';
import { type GrpcService, startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createMemoryFeedSource } from '#test/support/memory-feed-source.ts';

const about = { group: 'edge', protocol: 'delta', connectedSince: '2026-01-01T11:00:00Z' } as const;
const PLAIN = { nodeId: 'a', acknowledgedSequence: 1, rejected: [] };
const STATUS: ConsumerStatus = {
  sequence: 1,
  nodes: [{ ...PLAIN, about }],
  gone: [{ nodeId: 'b', since: '2026-01-01T11:30:00Z', acknowledgedSequence: 1, about }],
  paces: [{ tenantId: 'acme', serverId: 'tracker', version: '1', pace: { timeoutMs: 900 } }],
};

let directory: string;
let address: Address;
let cleanups: (() => unknown)[];
const logger = createLogger('test', 'silent');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'facts-'));
  address = { kind: 'unix', path: join(directory, 'feed.sock') };
  cleanups = [() => rm(directory, { recursive: true, force: true })];
});
afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
});

const report = async (status: ConsumerStatus): Promise<void> => {
  const feed = await startFeedConsumer({
    address,
    consumer: 'xds-server/one',
    stateFile: join(directory, 'copy.json'),
    logger,
    metrics: createMetrics('xds-server'),
    onSnapshot: () => undefined,
  });
  cleanups.push(feed.stop);
  feed.report(status);
};

/** A registry from before: its hello says nothing of facts. */
const olderRegistry = (statuses: unknown[]): GrpcService => ({
  definition: FEED_SERVICE,
  implementation: {
    Subscribe: (call: FeedCall) => {
      call.on('data', (message: FromConsumer) => {
        if (message.message === 'subscribe')
          call.write({ message: 'hello', hello: { epoch: 'e', reset: true } });
        if (message.message === 'status') statuses.push(JSON.parse(message.status.status.toString()));
      });
      call.on('end', () => call.end());
    },
  },
});

describe('who the nodes are, and where limits stand', () => {
  it('is not told to a registry that does not take it, which is told all else', async () => {
    const statuses: unknown[] = [];
    cleanups.push(await startGrpcServer(address, [olderRegistry(statuses)]));
    await report(STATUS);
    await expect.poll(() => statuses, { timeout: 10_000 }).toEqual([{ sequence: 1, nodes: [PLAIN] }]);
  });

  it.each([
    ['a newer xds-server', STATUS],
    ['an older xds-server', { sequence: 1, nodes: [PLAIN] }],
  ])('is taken from %s', async (_, status) => {
    const metrics = createMetrics('registry');
    const server = createFeedServer({ source: createMemoryFeedSource(), logger, metrics });
    cleanups.push(await startGrpcServer(address, [server.service]), () => server.stop());
    await report(status);
    await expect.poll(() => server.consumers()[0]?.status, { timeout: 10_000 }).toEqual(status);
  });
});
