// A registry of a thousand servers with twenty tools each: it opens, a consumer has all of it in seconds, and a change
// sends what changed.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import { putGrant } from '#registry/commands/grant.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import { createFeedServer } from '#registry/feed/server.ts';
import { openPostgresStore } from '#registry/store/postgres-store.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import type { Store } from '#registry/store/store.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { largeTenant } from '#test/support/large-tenant.ts';
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts';
import { writeOf } from '#test/support/store-contract.ts';

let server: PostgresServer;
let directory: string;
let cleanups: (() => unknown)[];

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(() => server.stop());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'size-'));
  cleanups = [];
});

afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  await rm(directory, { recursive: true, force: true });
});

const DIALECTS = [
  ['sqlite', async () => async () => openSqliteStore(join(directory, 'registry.db'), TEST_AUDIT)],
  [
    'postgres',
    async () => {
      const { url } = await server.createDatabase();
      return () => openPostgresStore(url, TEST_AUDIT);
    },
  ],
] as const;

const SPREADS = [
  ['one tenant', [largeTenant('acme', { servers: 1_000, tools: 20 })]],
  [
    'fifty tenants',
    Array.from({ length: 50 }, (_, n) =>
      largeTenant(`tenant-${String(n).padStart(2, '0')}`, { servers: 20, tools: 20 }),
    ),
  ],
] as const;

const CASES = DIALECTS.flatMap(([dialect, create]) =>
  SPREADS.map(([spread, tenants]) => ({ dialect, spread, create, tenants: tenants as readonly Tenant[] })),
);

const follow = async (store: Store): Promise<readonly Snapshot[]> => {
  const logger = createLogger('test', 'silent');
  const address = { kind: 'unix', path: join(directory, 'feed.sock') } as const;
  const feed = createFeedServer({ source: store, logger, metrics: createMetrics('registry') });
  const close = await startGrpcServer(address, [feed.service]);
  const snapshots: Snapshot[] = [];
  const consumer = await startFeedConsumer({
    address,
    consumer: 'ext-authz',
    stateFile: join(directory, 'snapshot.json'),
    logger,
    metrics: createMetrics('test'),
    onSnapshot: (snapshot) => snapshots.push(snapshot),
  });
  cleanups.push(async () => {
    feed.stop();
    await close();
  });
  cleanups.push(() => consumer.stop());
  return snapshots;
};

describe.each(CASES)(
  'a thousand servers with twenty tools each in $spread ($dialect)',
  ({ create, tenants }) => {
    it('open and reach a consumer in seconds; a change then sends only what changed', async () => {
      const open = await create();
      const first = await open();
      for (const tenant of tenants) await first.write(writeOf(tenant, null));
      await first.close();

      const startedAt = performance.now();
      const store = await open();
      cleanups.push(() => store.close());
      const snapshots = await follow(store);
      await vi.waitFor(() => expect(snapshots).toHaveLength(1), { timeout: 60_000 });
      expect(performance.now() - startedAt).toBeLessThan(30_000);
      const [snapshot] = snapshots;
      expect(snapshot?.tenants.flatMap(({ servers }) => servers)).toHaveLength(1_000);
      expect(snapshot?.tenants[0]).toEqual({ ...tenants[0], revision: 1 });

      const position = await store.lastSequence();
      const before = await store.findTenant(tenants[0]?.id ?? '');
      const [grant] = before?.tenant.grants ?? [];
      if (before === undefined || grant === undefined) throw new Error('it is there');
      const changed = putGrant(before.tenant, { ...grant, id: 'one-more' });
      if (!changed.ok) throw new Error('the sample is valid');
      const written = await store.write({ ...writeOf(changed.value.tenant, 1), before });
      expect(written.ok).toBe(true);
      const { items } = await store.readAfter(position, 10, position);
      expect(items).toMatchObject([{ change: { kind: 'patch', resources: [{ name: 'grants/one-more' }] } }]);
      expect(JSON.stringify(items).length).toBeLessThan(1_000);
      await vi.waitFor(() => expect(snapshots.at(-1)?.sequence).toBe(position + 1), { timeout: 10_000 });
      expect(snapshots.at(-1)?.tenants[0]?.servers).toBe(snapshot?.tenants[0]?.servers);
    }, 120_000);
  },
);
