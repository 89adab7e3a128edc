// Questions for an Envoy's resources over a real feed: the one xds-server that can know is asked, and no other.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeConfig, NodeConfigQuestion } from '#core/feed-message.ts';
import { err, ok } from '#core/result.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import { createFeedServer, type FeedServer } from '#registry/feed/server.ts';
import type { Address } from '#runtime/address.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createMemoryFeedSource } from '#test/support/memory-feed-source.ts';

const QUESTION: NodeConfigQuestion = { nodeId: 'edge-1', state: 'rejected', after: 'route/a', limit: 10 };
const ABSENT: NodeConfig = { kind: 'absent' };
const CONFIG: NodeConfig = {
  kind: 'config',
  sequence: 7,
  acknowledgedSequence: -1,
  types: [{ kind: 'route', typeUrl: 'x', inSync: 0, pending: 0, rejected: 1, unknown: 0 }],
  resources: [
    {
      kind: 'route',
      name: 'tenant/acme',
      state: 'rejected',
      wanted: { version: '2' },
      held: { version: '1', by: 'claimed' },
      message: 'no',
      tenant: 'acme',
    },
  ],
  next: 'route/tenant/acme',
};

let directory: string;
let address: Address;
let cleanups: (() => Promise<void> | void)[];
const logger = createLogger('test', 'silent');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodes-'));
  address = { kind: 'unix', path: join(directory, 'feed.sock') };
  cleanups = [];
});
afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  await rm(directory, { recursive: true, force: true });
});

const startRegistry = async (answerLimitMs: number): Promise<FeedServer> => {
  const metrics = createMetrics('registry');
  const server = createFeedServer({ source: createMemoryFeedSource(), logger, metrics, answerLimitMs });
  cleanups.push(await startGrpcServer(address, [server.service]), () => server.stop());
  return server;
};

const connect = async (
  server: FeedServer,
  consumer: string,
  onNodeConfig?: (question: NodeConfigQuestion) => NodeConfig,
): Promise<void> => {
  const feed = await startFeedConsumer({
    address,
    consumer,
    stateFile: join(directory, `${consumer.replace('/', '-')}.json`),
    logger,
    metrics: createMetrics('xds-server'),
    onSnapshot: () => undefined,
    ...(onNodeConfig === undefined ? {} : { onNodeConfig }),
  });
  cleanups.push(feed.stop);
  const isThere = () => server.consumers().some((each) => each.consumer === consumer && each.connected);
  await expect.poll(isThere, { timeout: 10_000 }).toBe(true);
};

describe('a question for what an Envoy has', () => {
  it('goes to the xds-server that is named, as it was asked, and comes back as it was answered', async () => {
    const server = await startRegistry(10_000);
    const asked: NodeConfigQuestion[] = [];
    await connect(server, 'xds-server/one', () => ABSENT);
    await connect(server, 'xds-server/two', (question) => {
      asked.push(question);
      return CONFIG;
    });
    expect(await server.nodeConfig('xds-server/two', QUESTION)).toEqual(ok(CONFIG));
    expect(await server.nodeConfig('xds-server/one', QUESTION)).toEqual(ok(ABSENT));
    expect(asked).toEqual([QUESTION]);
  });

  it('is not asked of one that is not here, or does not say that it answers', async () => {
    const server = await startRegistry(10_000);
    await connect(server, 'xds-server/old');
    expect(await server.nodeConfig('xds-server/old', QUESTION)).toEqual(err('not-here'));
    expect(await server.nodeConfig('xds-server/gone', QUESTION)).toEqual(err('not-here'));
  });

  it('ends without an answer when the time is up, or it makes no sense', async () => {
    const server = await startRegistry(50);
    await connect(server, 'xds-server/one', () => {
      throw new Error('a fault of ours');
    });
    await connect(server, 'xds-server/two', () => ({ ...CONFIG, body: 'a secret' }) as never);
    expect(await server.nodeConfig('xds-server/one', QUESTION)).toEqual(err('no-answer'));
    expect(await server.nodeConfig('xds-server/two', QUESTION)).toEqual(err('no-answer'));
  });
});
