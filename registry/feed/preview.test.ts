// Previews over a real feed: who is asked, who is not, and what happens when nobody answers.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EnvoyPreview } from '#core/feed-message.ts';
import { err, ok } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import { createFeedServer, type FeedServer } from '#registry/feed/server.ts';
import type { Address } from '#runtime/address.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createMemoryFeedSource } from '#test/support/memory-feed-source.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const TENANT = sampleTenant('acme', 3);
const EFFECT: EnvoyPreview = {
  kind: 'effect',
  sequence: 7,
  types: [{ typeUrl: 'type.googleapis.com/x', added: ['a'], changed: [], removed: ['b'] }],
  omitted: 0,
};

let directory: string;
let address: Address;
let cleanups: (() => Promise<void> | void)[];
const logger = createLogger('test', 'silent');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'preview-'));
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
  onPreview?: (tenant: Tenant) => EnvoyPreview,
): Promise<void> => {
  const feed = await startFeedConsumer({
    address,
    consumer,
    stateFile: join(directory, `${consumer}.json`),
    logger,
    metrics: createMetrics(consumer),
    onSnapshot: () => undefined,
    ...(onPreview === undefined ? {} : { onPreview }),
  });
  cleanups.push(feed.stop);
  while (!server.consumers().some((entry) => entry.consumer === consumer && entry.connected))
    await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('a preview', () => {
  it('is answered by the consumer that can, with the tenant as it was sent', async () => {
    const server = await startRegistry(10_000);
    const asked: Tenant[] = [];
    await connect(server, 'ext-authz');
    await connect(server, 'xds-server', (tenant) => {
      asked.push(tenant);
      return EFFECT;
    });
    expect(await server.preview(TENANT)).toEqual(ok(EFFECT));
    expect(asked).toEqual([TENANT]);
  });

  it('is not asked of a consumer that did not say it can', async () => {
    const server = await startRegistry(10_000);
    await connect(server, 'ext-authz');
    expect(await server.preview(TENANT)).toEqual(err('no-xds-server'));
  });

  it('ends without an answer when the time is up, or the consumer fails', async () => {
    const server = await startRegistry(50);
    await connect(server, 'xds-server', () => {
      throw new Error('a fault of ours');
    });
    expect(await server.preview(TENANT)).toEqual(err('no-answer'));
  });

  it('does not take an answer that makes no sense', async () => {
    const server = await startRegistry(10_000);
    await connect(server, 'xds-server', () => ({ ...EFFECT, more: true }) as never);
    expect(await server.preview(TENANT)).toEqual(err('no-answer'));
  });

  it('is not sent for a tenant too large for it', async () => {
    const server = await startRegistry(10_000);
    await connect(server, 'xds-server', () => EFFECT);
    const displayName = 'x'.repeat(9 * 1024 * 1024);
    expect(await server.preview({ ...TENANT, displayName })).toEqual(err('too-large'));
  });
});
