// A backup that is brought back: what was committed after it is gone, also at the consumers, once the database has been
// given a new epoch as docs/operations.md says.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import { createFeedServer } from '#registry/feed/server.ts';
import { openPostgresStore } from '#registry/store/postgres-store.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import type { Store } from '#registry/store/store.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { writeOf } from '#test/support/store-contract.ts';

let server: PostgresServer;
let directory: string;
let cleanups: (() => unknown)[];

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(() => server.stop());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'backup-'));
  cleanups = [];
});

afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
  await rm(directory, { recursive: true, force: true });
});

type Backup = {
  open(): Promise<Store>;
  copy(): Promise<{ renew(): Promise<unknown>; open(): Promise<Store> }>;
};

const sqlite = async (): Promise<Backup> => {
  const path = join(directory, 'registry.db');
  return {
    open: async () => openSqliteStore(path, TEST_AUDIT),
    copy: async () => {
      const target = join(directory, 'copy.db');
      const source = new DatabaseSync(path);
      await backup(source, target);
      source.close();
      return {
        open: async () => openSqliteStore(target, TEST_AUDIT),
        renew: async () => {
          const database = new DatabaseSync(target);
          database.exec("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'epoch'");
          database.close();
        },
      };
    },
  };
};

const postgres = async (): Promise<Backup> => {
  const database = await server.createDatabase();
  return {
    open: () => openPostgresStore(database.url, TEST_AUDIT),
    copy: async () => {
      const copied = await server.copyDatabase(database);
      return {
        open: () => openPostgresStore(copied.url, TEST_AUDIT),
        renew: () =>
          server.query(copied, "UPDATE meta SET value = gen_random_uuid()::text WHERE key = 'epoch'"),
      };
    },
  };
};

const serve = async (store: Store) => {
  const logger = createLogger('test', 'silent');
  const feed = createFeedServer({ source: store, logger, metrics: createMetrics('registry') });
  const close = await startGrpcServer({ kind: 'unix', path: join(directory, 'feed.sock') }, [feed.service]);
  return async () => {
    feed.stop();
    await close();
  };
};

describe.each([
  ['sqlite', sqlite],
  ['postgres', postgres],
])('a backup (%s)', (_name, create) => {
  it('brought back with a new epoch is what consumers then serve, wherever they were', async () => {
    const { open, copy } = await create();
    const first = await open();
    await first.write(writeOf(sampleTenant('kept'), null));
    await first.close();
    const backedUp = await copy();

    const second = await open();
    let stop = await serve(second);
    const consumer = await startFeedConsumer({
      address: { kind: 'unix', path: join(directory, 'feed.sock') },
      consumer: 'ext-authz',
      stateFile: join(directory, 'snapshot.json'),
      logger: createLogger('test', 'silent'),
      metrics: createMetrics('test'),
      onSnapshot: () => undefined,
    });
    cleanups.push(() => consumer.stop());
    const names = () =>
      consumer.current().snapshot.tenants.map(({ id, displayName }) => `${id} ${displayName}`);
    await second.write(writeOf({ ...sampleTenant('kept'), displayName: 'later' }, 1));
    await second.write(writeOf(sampleTenant('lost'), null));
    await vi.waitFor(() => expect(names()).toEqual(['kept later', 'lost Sample tenant']), {
      timeout: 10_000,
    });
    await stop();
    await second.close();

    await backedUp.renew();
    const restored = await backedUp.open();
    // As many commits as had been made: without the epoch the consumer would think its copy the same.
    await restored.write(writeOf({ ...sampleTenant('kept'), displayName: 'restored' }, 1));
    await restored.write(writeOf({ ...sampleTenant('kept'), displayName: 'restored' }, 2));
    stop = await serve(restored);
    cleanups.push(async () => {
      await consumer.stop();
      await stop();
      await restored.close();
    });
    await vi.waitFor(() => expect(names()).toEqual(['kept restored']), { timeout: 20_000 });
    expect(await restored.findAuditFault()).toBeUndefined();
    expect((await restored.findRevision('kept', 1))?.tenant?.displayName).toBe('Sample tenant');
  }, 60_000);
});
